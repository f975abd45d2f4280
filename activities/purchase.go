package activities

import (
	"context"

	"rocketshift/internal/instance"
)

// PurchaseResult is the target as it runs.
type PurchaseResult = instance.Instance

// Purchase provides the target.
type Purchase struct{ settings Settings }

// NewPurchase returns the activities of Purchase.
func NewPurchase(s Settings) *Purchase { return &Purchase{s.withDefaults()} }

// Purchase buys, starts or finds the plan's target. A repeated call gives the same one.
func (p *Purchase) Purchase(ctx context.Context, r Request) (PurchaseResult, error) { panic("stub") }
