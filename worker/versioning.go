package main

import (
	"fmt"
	"strings"

	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Variables that switch worker versioning on. docs/upgrade-the-worker.md says what it is for.
const (
	buildVariable      = "ROCKETSHIFT_BUILD_ID"
	deploymentVariable = "ROCKETSHIFT_DEPLOYMENT"
	// defaultDeployment is the deployment's name where only a build is given.
	defaultDeployment = "rocketshift"
)

// versioning is how Temporal tells builds of the worker apart; it is off unless a build is named.
//
// Workflows go to the newest build by themselves. Migrations take days or weeks, and their lanes
// run on the workers of their build: pinned ones would keep an old build running that long, and no
// correction would reach them. Replay tests make sure that new code reads old histories.
func versioning(getenv func(string) string) (worker.DeploymentOptions, error) {
	build, name := strings.TrimSpace(getenv(buildVariable)), strings.TrimSpace(getenv(deploymentVariable))
	if build == "" && name == "" {
		return worker.DeploymentOptions{}, nil
	}
	if build == "" {
		return worker.DeploymentOptions{}, fmt.Errorf("%s is %q, but %s is not set: name the build too, or neither",
			deploymentVariable, name, buildVariable)
	}
	if name == "" {
		name = defaultDeployment
	}
	if strings.ContainsAny(name, ".:") || strings.HasPrefix(name, "__") { // Temporal's rule
		return worker.DeploymentOptions{}, fmt.Errorf("%s is %q: leave out dots and colons, and __ at its beginning",
			deploymentVariable, name)
	}
	return worker.DeploymentOptions{
		UseVersioning:             true,
		Version:                   worker.WorkerDeploymentVersion{DeploymentName: name, BuildID: build},
		DefaultVersioningBehavior: workflow.VersioningBehaviorAutoUpgrade,
	}, nil
}

// versionHint says what makes Temporal give this build work.
func versionHint(o worker.DeploymentOptions) string {
	if !o.UseVersioning {
		return ""
	}
	return fmt.Sprintf("; build %s gets work once it is the current one: temporal worker deployment "+
		"set-current-version --deployment-name %s --build-id %s",
		o.Version.BuildID, o.Version.DeploymentName, o.Version.BuildID)
}
