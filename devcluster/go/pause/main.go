// Command pause holds a pod's namespaces open: it waits to be told to end, and reaps what it inherits until then.
//
// Written in Go rather than C so that the development cluster needs no C compiler.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGINT, syscall.SIGTERM)
	orphans := make(chan os.Signal, 1)
	signal.Notify(orphans, syscall.SIGCHLD)
	for {
		select {
		case <-told:
			return
		case <-orphans:
			reap()
		}
	}
}

// reap collects every child that has ended; with a shared process namespace this process is their init.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if pid <= 0 && err != syscall.EINTR {
			return
		}
	}
}
