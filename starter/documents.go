package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	"rocketshift/activities"
	"rocketshift/api"
	docs "rocketshift/internal/documents" // tests have a function documents
	"rocketshift/internal/failure"
	"rocketshift/internal/lab"
)

// readDocuments bounds how long a look at the workers' store may take: people wait for the answer,
// which says where the rest is if the store doesn't answer.
const readDocuments = 10 * time.Second

// whole puts lists in place of their references in a JSON document, as far as the workers' store is
// reached from here; what isn't read stays a reference, and a line on standard error says so.
func (a *app) whole(text []byte) []byte {
	if !bytes.Contains(text, []byte(`"document":{`)) {
		return text
	}
	var tree any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&tree) != nil {
		return text
	}
	store, err := a.store()
	ctx, cancel := context.WithTimeout(context.Background(), readDocuments)
	defer cancel()
	var first api.Reference
	left := 0
	tree = docs.Resolve(tree, func(ref api.Reference) ([]byte, error) {
		var missing *docs.MissingError
		if err == nil || errors.As(err, &missing) { // others may be there
			var content []byte
			if content, err = store.Get(ctx, ref); err == nil {
				return content, nil
			}
		}
		if left++; left == 1 {
			first = ref
		}
		return nil, err
	})
	if left > 0 {
		a.warn("%d lists stand in documents that can't be read from here, the first is %s: %s", left, first, err)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(tree) != nil {
		return text
	}
	return out.Bytes()
}

// store is the workers' store, if it is known here: by ROCKETSHIFT_STORE, or in the home folder.
func (a *app) store() (*docs.Store, error) {
	if where, ok := a.lookupEnv(docs.Variable); ok && where != "" {
		return docs.New(where)
	}
	root, ok := a.lookupEnv("ROCKETSHIFT_HOME")
	if !ok || root == "" {
		root, _ = lab.Root()
	}
	folder := activities.StoreFolder(root)
	if _, err := os.Stat(folder); err != nil {
		return nil, failure.Usage("set "+docs.Variable+" as for the workers",
			"the workers' store isn't on this machine")
	}
	return docs.New(folder)
}
