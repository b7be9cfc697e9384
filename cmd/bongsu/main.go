// Command bongsu is a node: it follows stolen money through the chains, warns
// partners under countersigned agreements, screens, and proves every step.
//
// This package only wires: flags, configuration and output live here, one file
// a command; what a command does lives in the rooms below. Exit statuses: 0
// done, 1 failed, 2 wrong use, 3 done in part (rejects were written), 4
// corruption found; screen ends with 10 when any verdict is block.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	env := environment{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		getenv: os.Getenv, now: time.Now,
	}
	os.Exit(run(ctx, env, os.Args[1:]))
}
