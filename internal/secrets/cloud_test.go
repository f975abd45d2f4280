package secrets

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheCloudsKeysAreUsedWithAllowedHostsOnly(t *testing.T) {
	store := func(allowed, at string) *Store {
		s, err := New(allowed, func(string) string { return at })
		require.NoError(t, err)
		return s
	}
	const host = "rocketmq.cn-hangzhou.aliyuncs.com"
	at, err := store("ALIBABA_CLOUD="+host, "").CloudAddress(host)
	require.NoError(t, err)
	require.Empty(t, at)
	_, err = store("ALIBABA_CLOUD="+host, "").CloudAddress("rocketmq.cn-beijing.aliyuncs.com")
	require.ErrorContains(t, err, `set ROCKETSHIFT_SECRETS="ALIBABA_CLOUD=rocketmq.cn-beijing.aliyuncs.com"`)
	var denied *ForbiddenError
	require.ErrorAs(t, err, &denied)
	_, err = store("ALIBABA_CLOUD="+host, "http://127.0.0.1:8098").CloudAddress(host)
	require.ErrorContains(t, err, `set ROCKETSHIFT_SECRETS="ALIBABA_CLOUD=127.0.0.1:8098"`)
	at, err = store("ALIBABA_CLOUD=127.0.0.1:8098", "http://127.0.0.1:8098").CloudAddress(host)
	require.NoError(t, err)
	require.Equal(t, "http://127.0.0.1:8098", at)
	_, err = store("ALIBABA_CLOUD=127.0.0.1:8098", "127.0.0.1:8098").CloudAddress(host)
	require.ErrorContains(t, err, "ROCKETSHIFT_APSARA is no http://host:port")
}
