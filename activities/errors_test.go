package activities

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
)

// What work on clusters fails with reaches workflows as it always has: recorded histories have it.
func TestFaultsBecomeTemporalsErrors(t *testing.T) {
	cause := errors.New("dial: refused")
	for kind, c := range map[string]struct {
		err    error
		text   string
		final  bool
		benign bool
		pause  time.Duration
		side   api.Side
	}{
		NotReadyType:          {fault.NotReady("lag %d", 3), "lag 3", false, true, time.Second, ""},
		TargetUnreachableType: {fault.Unreachable(api.Target, cause, "away"), "away", false, true, 3 * time.Second, ""},
		AccessDeniedType: {
			fault.Of(api.Source, fault.AccessDenied(cause, "refused")), "refused", false, true,
			10 * time.Second, api.Source,
		},
		ConflictType: {fault.Conflict("exists"), "exists", true, false, 0, ""},
		RefusedType:  {fault.RefusedWord("no lane"), "no lane", true, true, 0, ""},
		InvalidType:  {fault.Invalid("side"), "side", true, false, 0, ""},
	} {
		var app *temporal.ApplicationError
		require.ErrorAs(t, asTemporal(c.err), &app, kind)
		assert.Equal(t, kind, app.Type())
		assert.Equal(t, c.text, app.Message(), kind)
		assert.Equal(t, c.final, app.NonRetryable(), kind)
		assert.Equal(t, c.benign, app.Category() == temporal.ApplicationErrorCategoryBenign, kind)
		assert.Equal(t, c.pause, app.NextRetryDelay(), kind)
		require.Equal(t, c.side != "", app.HasDetails(), kind)
		if c.side != "" {
			var side api.Side
			require.NoError(t, app.Details(&side))
			assert.Equal(t, c.side, side)
			assert.ErrorIs(t, app, cause)
		}
	}
}

func TestWhatIsSaidAroundAFaultStays(t *testing.T) {
	err := asTemporal(fmt.Errorf("group billing: %w", fault.NotReady("not copied yet")))
	assert.Equal(t, "group billing: not copied yet (type: NotReady, retryable: true)", err.Error())
	assert.Equal(t, err, asTemporal(err), "once is enough")
	assert.Equal(t, errMissing, asTemporal(errMissing), "others stay")
	assert.NoError(t, asTemporal(nil))
}

// The server reads the outermost error alone: a type, or that another try doesn't help, which stands
// further inside is lost on it.
func TestAWrappedFaultReachesTheServerWithItsTypeAndWhetherItIsFinal(t *testing.T) {
	for _, err := range []error{
		fault.Conflict("exists"),
		fmt.Errorf("topic orders: %w", fault.Conflict("exists")),
		fmt.Errorf("broker-a: %w", fmt.Errorf("topic orders: %w: give up", fault.Conflict("exists"))),
		errors.Join(errMissing, fault.Conflict("exists")),
	} {
		sent := temporal.GetDefaultFailureConverter().ErrorToFailure(asTemporal(err))
		assert.Equal(t, err.Error(), sent.GetMessage())
		assert.Equal(t, ConflictType, sent.GetApplicationFailureInfo().GetType(), "%v", err)
		assert.True(t, sent.GetApplicationFailureInfo().GetNonRetryable(), "%v", err)
	}
}

var errMissing = errors.New("a file is missing")

// An activity that forgot it would show its errors without their type.
func TestEveryActivityTurnsItsFaultsIntoTemporalsErrors(t *testing.T) {
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	found := 0
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			f, is := d.(*ast.FuncDecl)
			if !is || f.Recv == nil || !f.Name.IsExported() || len(f.Type.Params.List) == 0 ||
				types.ExprString(f.Type.Params.List[0].Type) != "context.Context" {
				continue
			}
			found++
			first, deferred := f.Body.List[0].(*ast.DeferStmt)
			if !deferred || types.ExprString(first.Call) != "explained(&err)" {
				t.Errorf("%s: %s doesn't begin with defer explained(&err)", path, f.Name.Name)
			}
		}
	}
	assert.Greater(t, found, 50)
}
