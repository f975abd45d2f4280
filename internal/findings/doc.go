// Package findings is the catalogue of everything that Assess and ImportMetadata may say about a
// migration: each kind of finding has a stable id, a title, why it matters on 5.x, and what people
// do about it. Whoever finds something makes the finding by its id; docs/reference/findings.md is
// made of the catalogue.
package findings
