// Command coredns is CoreDNS with only the plugins that a development cluster's Corefile names.
//
// Leaving out the plugins for clouds and other stores makes the build a minute instead of several.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	// Each plugin registers itself under its name.
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"
)

// The order is that in which a query passes through the plugins.
func init() {
	dnsserver.Directives = []string{"errors", "health", "ready", "cache", "template", "hosts", "kubernetes"}
}

func main() {
	coremain.Run()
}
