package main

import (
	"testing"

	"rocketshift/internal/reference"
)

func TestTheReferenceHasEveryFlagOfTheGateway(t *testing.T) {
	flags := command(func(string) string { return "" }).Flags()
	flags.Lookup("name").DefValue = "the machine's name"
	reference.Check(t, "gateway-flags.md", "flags", reference.Flags(flags))
}
