package labtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"rocketshift/internal/lab"
)

// mqadminTime is far more than a command takes: a second and a half, most of it the JVM's start.
const mqadminTime = 2 * time.Minute

// MQAdminProgram is a program that does what bin/mqadmin of that version does. It ends with the
// test.
func MQAdminProgram(t testing.TB, version string) string {
	t.Helper()
	root, err := lab.Root()
	if err != nil {
		t.Fatal(err)
	}
	files, err := lab.FindFiles(root)
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	conf, program := filepath.Join(home, "conf"), filepath.Join(home, "mqadmin")
	if err := os.Mkdir(conf, 0o755); err != nil {
		t.Fatal(err)
	}
	quiet := []byte(`<configuration><root level="OFF"/></configuration>`)
	if err := os.WriteFile(filepath.Join(conf, "logback_tools.xml"), quiet, 0o644); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(
		"#!/bin/sh\nexec '%s' -XX:TieredStopAtLevel=1 -Xmx256m -Drocketmq.home.dir='%s' -Duser.home='%s' "+
			"-cp '%s/*' org.apache.rocketmq.tools.command.MQAdminStartup \"$@\"\n",
		files.Java,
		home,
		home,
		filepath.Join(files.Jars, version),
	)
	if err := os.WriteFile(program, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return program
}

// MQAdmin runs a command of RocketMQ's own mqadmin against the name server, and returns what it
// prints. mqadmin ends with 0 whatever happens, so the caller looks at that.
func MQAdmin(t testing.TB, program, nameServer string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), mqadminTime)
	defer cancel()
	command := exec.CommandContext(ctx, program, args...)
	command.Env = append(os.Environ(), "NAMESRV_ADDR="+nameServer)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("mqadmin %v: %s\n%s", args, err, out)
	}
	return string(out)
}
