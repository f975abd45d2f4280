package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// Kinds of members.
const (
	javaMember    = "java"       // the client of 5.3.3
	oldJavaMember = "java-4.9.7" // and that of 4.9.7
	goMember      = "go"         // client-go
)

// kindsOf are the members of a group that reads while something is restarted, by its name.
var kindsOf = map[string][]string{
	"java":       {javaMember, javaMember, javaMember},
	"java-4.9.7": {oldJavaMember, oldJavaMember, oldJavaMember},
	"go":         {goMember, goMember, goMember},
	"mixed":      {javaMember, oldJavaMember, goMember},
}

// clientOf is a program that sends and reads as Flow.java does, with a client of a kind.
func (c *course) clientOf(ctx context.Context, kind string, args ...any) (*exec.Cmd, error) {
	switch kind {
	case javaMember:
		return c.java(ctx, "Flow", args...), nil
	case oldJavaMember:
		return c.javaOf(ctx, "4.9.7", "Flow", args...), nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	all := []string{memberCommand}
	for _, a := range args {
		all = append(all, fmt.Sprint(a))
	}
	cmd := exec.CommandContext(ctx, self, all...)
	cmd.Stderr = c.talk
	return cmd, nil
}
