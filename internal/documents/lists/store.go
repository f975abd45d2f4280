package lists

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/documents"
)

// writeDocument writes a value where all workers find it.
func (in In) writeDocument(
	ctx context.Context, kind string, value any,
) (api.Reference, error) {
	content, err := json.Marshal(value)
	if err != nil {
		return api.Reference{}, fault.Invalid("the %s of %s can't be written as JSON: %v", kind, in.Migration, err)
	}
	ref, err := in.Store.Put(ctx, in.Migration, kind, content)
	return ref, explainStore(err)
}

// readDocument reads a value that a worker of the task queue wrote.
func readDocument(ctx context.Context, s *documents.Store, ref api.Reference, into any) error {
	content, err := s.Get(ctx, ref)
	if err != nil {
		return explainStore(err)
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fault.Invalid("document %s isn't what it is read as: %v", ref, err)
	}
	return nil
}

// WithDocuments is a value with its lists themselves in place of their references, as a report
// shows them, and what the store has lost of them.
func WithDocuments(ctx context.Context, s *documents.Store, value any) (any, []string, error) {
	var tree any
	b, err := json.Marshal(value)
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber() // offsets beyond 2^53 keep their digits
		err = d.Decode(&tree)
	}
	if err != nil {
		return nil, nil, fault.Invalid("what has to be written is no JSON: %v", err)
	}
	var lost []string
	tree = documents.Resolve(tree, func(ref api.Reference) ([]byte, error) {
		content, err := s.Get(ctx, ref)
		var missing *documents.MissingError
		if errors.As(err, &missing) && !slices.Contains(lost, ref.String()) {
			lost = append(lost, ref.String())
		}
		return content, err
	})
	return tree, lost, ctx.Err()
}

// explainStore turns an error of the store into one that is tried again while a person, or
// another worker that has the document, may help.
func explainStore(err error) error {
	var missing *documents.MissingError
	var unreachable *documents.UnreachableError
	switch {
	case errors.As(err, &missing):
		return fault.Again(fault.KindDocumentMissing, fault.GrantAgain, err, "%v", err)
	case errors.As(err, &unreachable):
		return fault.Again(fault.KindStoreUnreachable, fault.ReachAgain, err, "%v", err)
	case err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return fault.Invalid("%v", err)
}
