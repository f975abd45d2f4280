package message

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rocketshift/api"
	"rocketshift/workflows/lists"
)

// PassedOn is the message as the migration passes it on.
func PassedOn(m api.Steering) api.Steering { m.Forwarded = true; return m }

// CheckApproval says why an approval can't be taken, or nil. now is the workflow's time.
func CheckApproval(s api.Status, a api.Approval, now time.Time) error {
	if strings.TrimSpace(a.By) == "" {
		return fmt.Errorf("approve %q: nobody is named: say who approves in \"by\"", a.Gate)
	}
	if w, asked := WaitingApproval(s, a.Gate); asked {
		return checkBinding(w, a, now)
	}
	for _, given := range s.Approvals {
		if given.Gate == a.Gate {
			return fmt.Errorf("approve %q: it was approved by %s at %s already; an approval is used once",
				a.Gate, given.By, given.At.UTC().Format(time.RFC3339))
		}
	}
	return fmt.Errorf("approve %q: no such gate is waiting; %s", a.Gate, pendingGates(s))
}

// WaitingApproval is the question of a gate that waits for an approval.
func WaitingApproval(s api.Status, gate string) (api.Waiting, bool) {
	for _, w := range s.Waiting {
		if w.Kind == api.WaitingApproval && w.Gate == gate {
			return w, true
		}
	}
	return api.Waiting{}, false
}

// QuestionOf tells a question from the one that is asked after it, with the same evidence or other.
func QuestionOf(w api.Waiting) string {
	expires := ""
	if w.Expires != nil {
		expires = w.Expires.UTC().Format(time.RFC3339Nano)
	}
	return w.Gate + " " + w.Evidence + " " + expires
}

func checkBinding(w api.Waiting, a api.Approval, now time.Time) error {
	switch {
	case a.PlanHash != "" && a.PlanHash != w.PlanHash:
		return fmt.Errorf("approve %q: it names plan %s, but plan %s runs: look at the status again", a.Gate,
			a.PlanHash, w.PlanHash)
	case a.Evidence != "" && a.Evidence != w.Evidence:
		return fmt.Errorf("approve %q: it answers evidence %s, but %s is shown now: look at the status again",
			a.Gate, a.Evidence, w.Evidence)
	case w.Expires != nil && !now.Before(*w.Expires):
		return fmt.Errorf(
			"approve %q: its evidence expired at %s and is being measured again: look at the status again",
			a.Gate, w.Expires.UTC().Format(time.RFC3339),
		)
	}
	return nil
}

func pendingGates(s api.Status) string {
	var gates []string
	for _, w := range s.Waiting {
		if w.Kind == api.WaitingApproval {
			gates = append(gates, w.Gate)
		}
	}
	if len(gates) == 0 {
		return "no approval is waited for now"
	}
	return "waiting now: " + strings.Join(gates, ", ")
}

// CheckSteering says why a hold, resume or back can't be taken, or nil.
func CheckSteering(name string, s api.Status, m api.Steering) error {
	if strings.TrimSpace(m.By) == "" {
		return fmt.Errorf("%s: nobody is named: say who asks in \"by\"", name)
	}
	if name == api.BackName && s.PointOfNoReturn != nil {
		return fmt.Errorf("back: the point of no return was passed at %s", s.PointOfNoReturn.UTC().Format(time.RFC3339))
	}
	if name == api.ResumeName && s.State != api.StateHeld {
		return fmt.Errorf("resume: %s is not held (it is %s)", s.Name, s.State)
	}
	return nil
}

// CheckReleased says why the pipeline's word can't be taken, or nil.
func CheckReleased(s api.Status, r api.Released) error {
	if strings.TrimSpace(r.By) == "" {
		return fmt.Errorf("released: nobody is named: say who released in \"by\"")
	}
	if said := len(r.Groups) + len(r.Topics); said > MostReleased {
		return fmt.Errorf(
			"released: it names %d groups and topics, at most are %d: say it in parts, or without names for "+
				"all that is asked",
			said,
			MostReleased,
		)
	}
	groups, topics, listed := ReleaseWanted(s)
	if len(groups)+len(topics) == 0 && listed && !s.Moved.Any() {
		return fmt.Errorf("released: no application is asked to move now")
	}
	if !listed || s.Moved.MoreGroups+s.Moved.MoreTopics > 0 {
		return nil // all names aren't known here
	}
	for _, g := range r.Groups {
		if !slices.Contains(groups, g) && !slices.Contains(s.Moved.Groups, g) {
			return fmt.Errorf("released: group %q is not asked to move now; asked are: %s", g, lists.OrNone(groups))
		}
	}
	for _, t := range r.Topics {
		if !slices.Contains(topics, t) && !slices.Contains(s.Moved.Topics, t) {
			return fmt.Errorf("released: producers of topic %q are not asked to move now; asked are: %s", t,
				lists.OrNone(topics))
		}
	}
	return nil
}

// MostReleased is how many names one message has at most: a message is a payload, in the history of
// the migration and in that of its stage.
const MostReleased = 1000

// ReleaseWanted lists whose applications are asked to move now; of lists in documents (listed is
// false then) no name.
func ReleaseWanted(s api.Status) (groups, topics []string, listed bool) {
	listed = true
	for _, w := range s.Waiting {
		if w.Kind == api.WaitingRelease {
			g, inlineGroups := w.Groups.Inline()
			t, inlineTopics := w.Topics.Inline()
			groups, topics = append(groups, g...), append(topics, t...)
			listed = listed && inlineGroups && inlineTopics
		}
	}
	return groups, topics, listed
}

// ReleasesAsked are the gates of what applications are asked to do now.
func ReleasesAsked(s api.Status) (gates []string) {
	for _, w := range s.Waiting {
		if w.Kind == api.WaitingRelease {
			gates = append(gates, w.Gate)
		}
	}
	return gates
}

// LongestWords is how many bytes a name or a reason has at most: a paragraph. It stands in the
// status of the stage and of the migration, and in every report of it.
const LongestWords = 1000

// CheckWords refuses words that are no name and no reason.
func CheckWords(message string, words ...string) error {
	for _, text := range words {
		if len(text) > LongestWords {
			return fmt.Errorf("%s: a text of it has %d bytes, at most are %d: put the rest where the text can point to",
				message, len(text), LongestWords)
		}
	}
	return nil
}

// OrNoReason is a reason as people read it.
func OrNoReason(reason string) string {
	if reason == "" {
		return "no reason given"
	}
	return reason
}
