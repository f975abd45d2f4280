package main

import (
	"context"
	"log/slog"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"

	"rocketshift/api"
)

// ensureAttributes registers the search attributes and reports whether all are there as keywords.
// Where registering is not allowed (Temporal Cloud wants its own API), workflows run without them:
// an unknown attribute would stop every workflow task.
func ensureAttributes(ctx context.Context, c client.Client, namespace string, logger *slog.Logger) bool {
	wanted := map[string]enumspb.IndexedValueType{}
	for _, name := range api.SearchAttributes() {
		wanted[name] = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	}
	service := c.OperatorService()
	_, addErr := service.AddSearchAttributes(ctx,
		&operatorservice.AddSearchAttributesRequest{SearchAttributes: wanted, Namespace: namespace})
	list, err := service.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		logger.Warn("search attributes are off: they can't be listed", "error", err, "addError", addErr)
		return false
	}
	for name, kind := range wanted {
		if list.GetCustomAttributes()[name] != kind {
			logger.Warn("search attributes are off: one is missing or not a keyword", "attribute", name,
				"addError", addErr)
			return false
		}
	}
	return true
}
