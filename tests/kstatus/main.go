// Command kstatus reads a JSON list of Kubernetes objects from standard input, and prints what kstatus says of each:
// a JSON list of words, in the same order.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "kstatus:", err)
		os.Exit(1)
	}
}

func run() error {
	var texts []json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		return err
	}
	words := make([]string, 0, len(texts))
	for _, text := range texts {
		// Its own decoder keeps whole numbers as such; kstatus refuses generations that are floats.
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(text); err != nil {
			return err
		}
		found, err := status.Compute(object)
		if err != nil {
			return err
		}
		words = append(words, found.Status.String())
	}
	return json.NewEncoder(os.Stdout).Encode(words)
}
