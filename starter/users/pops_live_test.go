package users

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// codePop is POP_MESSAGE, by which a proxy reads for gRPC clients.
const codePop = 200050

// A proxy asks for messages of gRPC consumers without the time when it asked. Brokers of 5.3.3 fill
// it in after access control has read the request, so that what they judge still lacks it: they
// answer that the request is too old, to super users too.
func TestLongBrokersThatAuthoriseReadsOfProxies(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	for _, of := range []struct {
		version, authorization string
		timed, untimed         int
	}{
		{"5.3.3", "true", remoting.Success, codeTooOld},
		{"5.3.3", "false", remoting.Success, remoting.Success},
		{"5.5.0", "true", remoting.Success, remoting.Success},
	} {
		t.Run(of.version+" authorization "+of.authorization, func(t *testing.T) {
			addr, root := startAuthorising(t, ctx, of.version, of.authorization)
			untimed := popped(t, ctx, root, addr, 0)
			assert.Equal(t, of.untimed, untimed.Code, untimed.Remark)
			timed := popped(t, ctx, root, addr, time.Now().UnixMilli())
			assert.Equal(t, of.timed, timed.Code, timed.Remark)
			if of.untimed == codeTooOld {
				assert.Contains(t, untimed.Remark, "pop message is timeout too much")
			}
			if of.authorization == "true" {
				requireWhatNobodyMayDo(t, ctx, addr, root)
			}
		})
	}
}

// codeTooOld is POLLING_TIMEOUT.
const codeTooOld = 210

// requireWhatNobodyMayDo has a user without rights do what ACL 1.0 lets only admins do. Brokers of
// 5.3.3 and 5.5.0 ask for no right where the request's fields name nothing: to make a group, and to
// read or change their configuration.
func requireWhatNobodyMayDo(t *testing.T, ctx context.Context, addr string, root *rocketmq.Client) {
	t.Helper()
	nobody := clientOf(t, &remoting.Credentials{AccessKey: "nobody", SecretKey: "secret-of-nobody"})
	var told string // of the configuration
	for _, c := range []struct {
		code, wanted int
		key, name    string
		body         string
	}{
		{remoting.CodePutGroup, remoting.Success, "", "", `{"groupName":"made-by-nobody"}`},
		{codeChangeConfig, remoting.Success, "", "", "forwardTimeout=3001"},
		{codeReadConfig, remoting.Success, "", "", ""},
		{codeDeleteGroup, remoting.NoPermission, "groupName", "auditing", ""},
		{codeDeleteTopic, remoting.NoPermission, "topic", "payments", ""},
	} {
		got, err := nobody.Call(ctx, addr, &remoting.Command{
			Code: c.code, Fields: map[string]string{c.key: c.name}, Body: []byte(c.body),
		})
		require.NoError(t, err)
		assert.Equal(t, c.wanted, got.Code, "code %d: %s", c.code, got.Remark)
		told += string(got.Body)
	}
	groups, err := root.Groups(ctx, addr)
	require.NoError(t, err)
	assert.Contains(t, groups, "made-by-nobody")
	assert.Contains(t, told, "forwardTimeout=3001", "it has changed it")
	assert.True(
		t,
		strings.Contains(told, "secret-of-root-of-target"),
		"the configuration has the super user's secret",
	)
}

// RequestCode of 5.3.3.
const (
	codeChangeConfig = 25  // UPDATE_BROKER_CONFIG
	codeReadConfig   = 26  // GET_BROKER_CONFIG
	codeDeleteGroup  = 207 // DELETE_SUBSCRIPTIONGROUP
	codeDeleteTopic  = 215 // DELETE_TOPIC_IN_BROKER
)

// startAuthorising is a broker with access control, with a message for each of two reads, and its
// super user.
func startAuthorising(
	t *testing.T, ctx context.Context, version, authorization string,
) (addr string, root *rocketmq.Client) {
	t.Helper()
	admin := &lab.Account{AccessKey: "root-of-target", SecretKey: "secret-of-root-of-target"}
	c := labtest.OwnCluster(t, lab.ClusterSpec{
		Name: "New", Version: version, Admin: admin, Config: map[string]string{"authorizationEnabled": authorization},
	})
	root, addr = clientOf(
		t,
		&remoting.Credentials{AccessKey: admin.AccessKey, SecretKey: admin.SecretKey},
	), c.Brokers[0].Addr
	makeNames(t, ctx, root, addr)
	for range 2 {
		got, err := root.Call(ctx, addr, probes[0].build("orders", ""))
		require.NoError(t, err)
		require.Equal(t, remoting.Success, got.Code, got.Remark)
	}
	set := `{"username":"nobody","password":"secret-of-nobody","userType":"Normal","userStatus":"enable"}`
	_, err := root.Call(ctx, addr, &remoting.Command{
		Code: remoting.CodeCreateUser, Body: []byte(set), Fields: map[string]string{"username": "nobody"},
	})
	require.NoError(t, err)
	return addr, root
}

// popped is what a broker answers to a read as a proxy asks for it, born at that millisecond.
func popped(t *testing.T, ctx context.Context, client *rocketmq.Client, addr string, born int64) *remoting.Command {
	t.Helper()
	got, err := client.Call(ctx, addr, &remoting.Command{Code: codePop, Fields: map[string]string{
		"consumerGroup": "by-grpc", "topic": "orders", "queueId": "-1", "maxMsgNums": "1", "invisibleTime": "60000",
		"pollTime": "5000", "bornTime": fmt.Sprint(born), "initMode": "0", "expType": "TAG", "exp": "*", "order": "false",
	}})
	require.NoError(t, err)
	return got
}
