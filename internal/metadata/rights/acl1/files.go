package acl1

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v2"
)

// ReadFiles reads ACL 1.0's files: plain_acl.yml, files of conf/acl, and folders, which are read
// with their subfolders as brokers do. All together are the configuration of one cluster.
func ReadFiles(paths []string) (*Config, error) {
	all, err := found(paths)
	if err != nil {
		return nil, err
	}
	config, from := newConfig(), map[string]string{}
	for _, path := range all {
		text, err := content(path)
		if err != nil {
			return nil, err
		}
		r := &reading{where: path, config: config, from: from}
		if err := r.file(text); err != nil {
			return nil, err
		}
	}
	if len(config.Users) == 0 && len(config.GlobalAddresses) == 0 {
		return nil, fmt.Errorf("%s: no account is in there: name plain_acl.yml, or the folder conf/acl",
			strings.Join(paths, ", "))
	}
	return config, nil
}

// ofTools is the file of keys that mqadmin uses: it grants nothing.
const ofTools = "tools.yml"

// found are the files, once each. Links are not followed.
func found(paths []string) (all []string, err error) {
	add := func(path string) error {
		if path = filepath.Clean(path); !slices.Contains(all, path) {
			all = append(all, path)
		}
		if len(all) > mostFiles {
			return fmt.Errorf("%s: there are more than %d files: name a folder of ACL files", path, mostFiles)
		}
		return nil
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("ACL file: %w", err)
		}
		if !info.IsDir() {
			if err := add(path); err != nil {
				return nil, err
			}
			continue
		}
		err = filepath.WalkDir(path, func(one string, d fs.DirEntry, err error) error {
			end := filepath.Ext(one)
			if err != nil || !d.Type().IsRegular() || end != ".yml" && end != ".yaml" || d.Name() == ofTools {
				return err
			}
			return add(one)
		})
		if err != nil {
			return nil, fmt.Errorf("ACL files: %w", err)
		}
	}
	return all, nil
}

func content(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("ACL file: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, mostBytes+1))
	if err != nil {
		return nil, fmt.Errorf("ACL file: %w", err)
	}
	if len(text) > mostBytes {
		return nil, fmt.Errorf("%s: it has more than %d bytes: name a file of ACL 1.0", path, mostBytes)
	}
	return text, nil
}

var lineNumber = regexp.MustCompile(`line \d+`)

// file reads one YAML file. The decoder's own error may show a part of it, so only the line is told.
func (r *reading) file(text []byte) error {
	var v any
	if err := yaml.UnmarshalStrict(text, &v); err != nil {
		at := lineNumber.FindString(err.Error())
		if at == "" {
			at = "the file"
		}
		return r.wrong(at, "it isn't YAML, or has a key twice")
	}
	if v == nil {
		return nil // an empty file, which brokers make themselves
	}
	t, err := r.table("the file", v)
	if err != nil {
		return err
	}
	if err := r.only("the file", t, "globalWhiteRemoteAddresses", "accounts", "dataVersion"); err != nil {
		return err
	}
	return r.whole(t["globalWhiteRemoteAddresses"], "globalWhiteRemoteAddresses", t["accounts"], "accounts")
}

// whole reads the global addresses and the accounts.
func (r *reading) whole(addresses any, addressesKey string, accounts any, accountsKey string) error {
	patterns, err := r.list(addressesKey, addresses, mostAccounts)
	if err != nil {
		return err
	}
	for i, v := range patterns {
		pattern, err := r.text(fmt.Sprintf("%s[%d]", addressesKey, i), v, mostSecret)
		if err != nil {
			return err
		}
		if pattern = strings.TrimSpace(pattern); pattern != "" {
			r.config.GlobalAddresses = append(r.config.GlobalAddresses, pattern)
		}
	}
	list, err := r.list(accountsKey, accounts, mostAccounts)
	if err != nil {
		return err
	}
	for i, v := range list {
		if err := r.account(fmt.Sprintf("%s[%d]", accountsKey, i), v); err != nil {
			return err
		}
	}
	return nil
}

// ReadAnswer reads what a broker tells (GET_BROKER_CLUSTER_ACL_CONFIG; AclConfig, 4.9.7).
func ReadAnswer(broker string, body []byte) (*Config, error) {
	r := &reading{where: broker, hides: true, config: newConfig(), from: map[string]string{}}
	var v any
	if len(body) > mostBytes || json.Unmarshal(body, &v) != nil {
		return nil, r.wrong("its ACL", "it isn't JSON, or has more than %d bytes", mostBytes)
	}
	t, err := r.table("its ACL", v)
	if err != nil {
		return nil, err
	}
	return r.config, r.whole(t["globalWhiteAddrs"], "globalWhiteAddrs", t["plainAccessConfigs"], "plainAccessConfigs")
}
