package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rocketshift/activities"
	"rocketshift/internal/documents"
	"rocketshift/internal/lab"
	"rocketshift/internal/secrets"
)

// Roles of a worker.
const (
	roleControl = "control"
	roleData    = "data"
)

// parseRoles reads ROCKETSHIFT_ROLES: a comma list of control and data; empty means both.
func parseRoles(text string) ([]string, error) {
	if strings.TrimSpace(text) == "" {
		return []string{roleControl, roleData}, nil
	}
	var roles []string
	for _, r := range strings.Split(text, ",") {
		r = strings.TrimSpace(r)
		if r != roleControl && r != roleData {
			return nil, fmt.Errorf("ROCKETSHIFT_ROLES: %q is not a role; allowed: %s, %s", r, roleControl, roleData)
		}
		if !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	return roles, nil
}

// readSettings finds the folder that holds .run and .cache: ROCKETSHIFT_HOME, else the project,
// else the current folder.
func readSettings(getenv func(string) string) (activities.Settings, error) {
	root := getenv("ROCKETSHIFT_HOME")
	if root == "" {
		var err error
		if root, err = lab.Root(); err != nil {
			if root, err = os.Getwd(); err != nil {
				return activities.Settings{}, fmt.Errorf("no home folder: set ROCKETSHIFT_HOME: %w", err)
			}
		}
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return activities.Settings{}, err
	}
	allowed, err := secrets.New(getenv(secrets.Variable), getenv)
	if err != nil {
		return activities.Settings{}, err
	}
	store, err := documents.New(cmp.Or(getenv(documents.Variable), activities.StoreFolder(root)))
	if err != nil {
		return activities.Settings{}, err
	}
	return activities.Settings{
		Root: root, Reports: getenv("ROCKETSHIFT_REPORTS"), Secrets: allowed, Store: store,
	}, nil
}
