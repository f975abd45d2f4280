package gateway

// Bodies as stock clients and servers write them.
var (
	stockBeats = []string{
		`{}`,
		`{"clientID":"1@2","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_FIRST_OFFSET","consumeType":"CONSUME_PASSIVELY","groupName":"g","messageModel":"CLUSTERING","subscriptionDataSet":[{"classFilterMode":false,"codeSet":[3552217],"expressionType":"TAG","subString":"tag1 || tag2","subVersion":1700000000000,"tagsSet":["tag1","tag2"],"topic":"t"},{"classFilterMode":false,"codeSet":[],"expressionType":"TAG","subString":"*","subVersion":1700000000000,"tagsSet":[],"topic":"%RETRY%g"}],"unitMode":false}],"heartbeatFingerprint":0,"producerDataSet":[{"groupName":"CLIENT_INNER_PRODUCER"}],"withoutSub":false}`,
		`{"clientID":"1@2","consumerDataSet":[],"producerDataSet":[{"groupName":"p"},{"groupName":"CLIENT_INNER_PRODUCER"}]}`,
		`{"clientID":"1@2","producerDataSet":[],"consumerDataSet":[{"groupName":"g","consumeType":"CONSUME_PASSIVELY","messageModel":"Clustering","consumeFromWhere":"CONSUME_FROM_LAST_OFFSET","subscriptionDataSet":[],"unitMode":false}]}`,
		`{"clientID":"1@2","producerDataSet":[{"groupName":"p"}],"consumerDataSet":[{"groupName":"g","consumeType":"CONSUME_ACTIVELY","messageModel":"BroadCasting","consumeFromWhere":"CONSUME_FROM_LAST_OFFSET","subscriptionDataSet":null,"unitMode":false}]}`,
		`{"clientID":"1@2","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET","consumeType":"CONSUME_PASSIVELY","groupName":"g","messageModel":"BROADCASTING","subscriptionDataSet":[{"codeSet":["3552217"],"subString":"*","subVersion":"1700000000000","tagsSet":["*"],"topic":"t"}]}],"producerDataSet":[{"groupName":"p"}]}` + "\n",
		`{"clientID":"1@2","consumerDataSet":[{"groupName":"g","messageModel":1}],"producerDataSet":[]}`,
		`{"clientID":"1@2","consumerDataSet":[{"groupName":"g","messageModel":"CLUSTERING","subscriptionDataSet":[{"expressionType":"SQL92","subString":"a > 1 AND b = '\u0001\"é' \\ /","topic":"t"}]}]}`,
	}
	stockLocks = []string{
		`{"clientId":"1@2","consumerGroup":"g","mqSet":[{"brokerName":"broker-a","queueId":3,"topic":"t"},{"brokerName":"broker-a","queueId":0,"topic":"%RETRY%g"}],"onlyThisBroker":false}`,
		`{"clientId":"1@2","consumerGroup":"g","mqSet":[{"topic":"t","brokerName":"broker-a","queueId":3}]}` + "\n",
		`{"consumerGroup":"g","clientId":"1@2","mqSet":[]}`,
	}
	stockLocked = []string{
		`{"lockOKMQSet":[{"brokerName":"broker-a","queueId":3,"topic":"t"}]}`,
		`{"lockOKMQSet":[]}`, `{}`,
	}
	stockRoutes = []string{
		`{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911",1:"10.0.0.2:10911"},"brokerName":"broker-a","cluster":"c"}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSynFlag":0,"topicSysFlag":0,"writeQueueNums":4}]}`,
		`{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"broker-a","cluster":"c","enableActingMaster":false}],"filterServerTable":{},"queueDatas":[{"brokerName":"broker-a","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}`,
		`{"brokerAddrTable":{"broker-a":{"brokerAddrs":{0:"10.0.0.1:10911"},"brokerName":"broker-a","cluster":"c"},"b é":{"brokerAddrs":{0:"10.0.0.2:10911"},"brokerName":"b é","cluster":"c"}},"clusterAddrTable":{"c":["broker-a","b é"]}}`,
		`{"brokerDatas":[],"orderTopicConf":"broker-a:4;\"b\\","queueDatas":[],"topicQueueMappingByBroker":{"broker-a":{"bname":"broker-a","currIdMap":{0:0,-1:2},"dirty":false,"epoch":1,"scope":"x","topic":"t","totalQueues":2}}}`,
	}
)

// Bodies that no stock client writes, which Java reads in one way or another.
var (
	oddBeats = []string{
		`{"clientID":"a","clientID":"b"}`, `{"clientID":"a","ClientId":"b"}`, `{"client_id":"b"}`, `{"client-ID":"b"}`, `{"isClientID":"b"}`, `{"\u0063lientID":"a"}`, `{'clientID':'a'}`, `{clientID:"a"}`, `{"clientID":"\x61"}`, `{"clientID":1}`, `{"clientID":null}`, `{"clientID":"a\ud83d"}`, "{\"clientID\":\"\xff\"}", "{\"clientID\":\"\ufffd\"}", "\ufeff{\"clientID\":\"a\"}", "{\"clientID\":\"a\x1a\"}",
		`{"clientID":"a","consumerDataSet":[{"groupName":"a","group-name":"b"}]}`, `{"consumerDataSet":[{"GroupName":"b"}]}`, `{"consumerDataSet":{"groupName":"b"}}`, `{"consumerDataSet":"[{\"groupName\":\"b\"}]"}`, `{"consumerDataSet":[null]}`, `{"consumerDataSet":[{}]}`, `{"consumerDataSet":[[]]}`, `{"consumerDataSet":null,"producerDataSet":null}`, `{"consumerDataSet":[{"groupName":null}]}`, `{"consumerDataSet":[{"groupName":""}]}`, `{"consumerDataSet":["g"]}`, `{"consumerDataSet":[],"consumerDataSet":[{"groupName":"g"}]}`, `{"consumerDataSet":[{"groupName":"g"},{"groupName":"g"},{"groupName":"h","messageModel":"BROADCASTING"}]}`,
		`{"conſumerDataSet":[{"groupName":"g"}]}`, `{"consumerDataSet":[{"groupName":"g","messageModel":"broadcasting"}]}`, `{"consumerDataSet":[{"groupName":"g","messageModel":"BROADCA\u0053TING"}]}`, `{"consumerDataSet":[{"groupName":"g","messageModel":"broadcaſting"}]}`, `{"consumerDataSet":[{"groupName":"g","messageModel":0}]}`, `{"consumerDataSet":[{"groupName":"g","messageModel":2}]}`, `{"consumerDataSet":[{"groupName":"g","messageModel":"0"}]}`, `{"consumerDataSet":[{"groupName":"g","messageModel":"LITE"}]}`, `{"consumerDataSet":[{"groupName":"g","messageModel":""}]}`, `{"consumerDataSet":[{"groupName":"g","messageModel":null}]}`, `{"consumerDataSet":[{"groupName":"g","messageModel":{}}]}`,
		`{"@type":"java.util.HashMap","clientID":"a"}`, `{"clientID":"a","@type":"x"}`, `{"clientID":{"$ref":"$"}}`, `{"clientID":"a","consumerDataSet":{"$ref":"$.producerDataSet"},"producerDataSet":[{"groupName":"p"}]}`, `{"x":{"@type":"java.net.InetAddress","val":"x"},"clientID":"a"}`, `{"clientID":"a","x":{"clientID":"b"}}`, `{"x":1,"x":2}`, `{"":1}`,
		`[{"clientID":"a"}]`, `null`, `"x"`, `1`, ``, `{`, `{}{}`, `{} `, `{"clientID":"a"}/*c*/`, `/*c*/{"clientID":"a"}`, `{"clientID":"a",}`, `{,"clientID":"a"}`, `{"clientID":"a";}`, "{\"clientID\":\"a\"}\x1a", "{\"clientID\"\x0c:\"a\"}", "{\"clientID\":\"a\"}\x00",
	}
	oddLocks = []string{
		`{'consumerGroup':'g'}`, `{consumerGroup:"g"}`, `{"ConsumerGroup":"g"}`, `{"consumer_group":"g"}`, `{"consumerGroup":"g","consumerGroup":"h"}`, `{"conſumerGroup":"g"}`, `{"consumerGroup":1}`, `{"consumerGroup":null,"clientId":"c"}`, `{"consumerGroup":"g","clientID":"c"}`, `{"consumerGroup":"g","clientId":"c","mqSet":null}`,
		`{"consumerGroup":"g","clientId":"c","mqSet":[null]}`, `{"consumerGroup":"g","clientId":"c","mqSet":[{}]}`, `{"consumerGroup":"g","clientId":"c","mqSet":[{"topic":"t","brokerName":"b","queueId":4294967296}]}`, `{"consumerGroup":"g","clientId":"c","mqSet":[{"topic":"t","brokerName":"b","queueId":-1}]}`, `{"consumerGroup":"g","clientId":"c","mqSet":[{"topic":"t","brokerName":"b","queueId":"1"}]}`, `{"consumerGroup":"g","clientId":"c","mqSet":[{"topic":"t","brokerName":"b","queueId":1.0}]}`, `{"consumerGroup":"g","clientId":"c","mqSet":[{"topic":"t","brokerName":"b","queueId":1e1}]}`, `{"consumerGroup":"g","clientId":"c","mqSet":[{"topic":null,"brokerName":"b","queueId":-0}]}`, `{"consumerGroup":"g","clientId":"c","mqSet":[{"topic":"t","brokerName":"b","queueId":1,"queue_id":2}]}`, `{"consumerGroup":"g","clientId":"c","mqSet":[{"topic":"t","brokerName":"b","queueId":1},{"topic":"t","brokerName":"b","queueId":1}]}`, `{"consumerGroup":"g","clientId":"c","mqSet":{"topic":"t","brokerName":"b","queueId":1}}`, `{"lockOKMQSet":[{"topic":"t","brokerName":"b","queueId":1}],"lockOKMQset":[]}`,
	}
	oddRoutes = []string{
		`{"brokerDatas":[{"brokerAddrs" : {0 : "10.0.0.1:10911"}}]}`, `{"brokerDatas":[{"BrokerAddrs":{0:"10.0.0.1:10911"}}]}`, `{"brokerDatas":[{"broker_addrs":{0:"10.0.0.1:10911"}}]}`, `{"brokerDatas":[{'brokerAddrs':{0:"10.0.0.1:10911"}}]}`, `{"brokerDatas":[{brokerAddrs:{0:"10.0.0.1:10911"}}]}`, `{"brokerDatas":[{"broker\u0041ddrs":{0:"10.0.0.1:10911"}}]}`, `{"brokerDatas":[{"brokerAddrs":{0:'10.0.0.1:10911'}}]}`, `{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:1091\u0031"}}]}`, `{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.9:10911"}}]}`, `{"brokerDatas":[{"brokerAddrs":{0:null}}]}`, `{"brokerDatas":[{"brokerAddrs":null}]}`, `{"brokerDatas":[{"brokerAddrs":[]}]}`, `{"brokerDatas":[{"brokerAddrs":{}}]}`, `{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911"},"brokerAddrs":{0:"10.0.0.2:10911"}}]}`, `{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911",0:"10.0.0.2:10911"}}]}`, `{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.1:10911","}":"10.0.0.9:10911"}}]}`, `{"brokerDatas":[{"brokerAddrs":{"a,b":"10.0.0.1:10911"}}]}`, `{"brokerDatas":[{"brokerAddrs":{007:"10.0.0.1:10911",-1:"10.0.0.2:10911"}}]}`, `{"brokerDatas":[{"brokerName":"\"brokerAddrs\":{","brokerAddrs":{0:"10.0.0.1:10911"}}]}`, `{"brokerDatas":[{"brokerName":"\ud83d","cluster":"\x41"}]}`, `{"brokerDatas":[{"brokerName":1.5}]}`, `{"brokerDatas":[{"@type":"x"}]}`, `{"brokerDatas":[{"$ref":"$"}]}`, `{"brokerAddrs":{"0":"10.0.0.1:10911"}}`, `{"x":{"y":[{"brokerAddrs":{0:"10.0.0.1:10911"}}]}}`, "{\"brokerDatas\":[{\"brokerAddrs\":{0:\"10.0.0.1:10911\"}}]}\n", "{\"orderTopicConf\":\"\xff\"}", "{\"orderTopicConf\":\"a\x1ab\"}", `{"orderTopicConf":"a\`, `{"queueDatas":[{"perm":00000000000000000006,"readQueueNums":99999999999}]}`, `[]`, `{}x`, `{"a":1,}`, `{"brokerDatas":[{"brokerAddrs":{1:"10.0.0.1:10911",},}]}`,
	}
)
