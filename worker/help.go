package main

// programName is the name under which people know this one.
const programName = "rocketshift-worker"

// help lists what the worker's environment may say. docs/run-on-your-temporal.md has more of each.
const help = `rocketshift-worker runs the workflows and activities of migrations, until it is told to end by SIGTERM or
Ctrl-C. It takes no arguments but these, and is set by its environment.

Usage:
  rocketshift-worker
  rocketshift-worker --help | --version

Environment:
  TEMPORAL_ADDRESS          where Temporal is (default localhost:7233); the other TEMPORAL_* settings of the
                            temporal CLI are read too
  ROCKETSHIFT_ROLES         control, data or both (default): what it polls for
  ROCKETSHIFT_HOME          folder that holds .run, and .cache with RocketMQ's jars (default: the project that the
                            current folder is in, else the current folder)
  ROCKETSHIFT_REPORTS       folder of the reports (default <home>/.run/reports)
  ROCKETSHIFT_STORE         the store that all workers share: a folder, file:///folder or s3://bucket?region=…
                            (default <home>/.run/store)
  ROCKETSHIFT_METRICS       host:port of /metrics, or off (default 127.0.0.1:9464, if it is free)
  ROCKETSHIFT_BUILD_ID      build of worker versioning (default: none, versioning is off)
  ROCKETSHIFT_DEPLOYMENT    deployment of worker versioning
  ROCKETSHIFT_SECRETS       which keys and tokens are for which hosts, such as
                            "SOURCE=10.0.0.1:9876 GATEWAY=10.0.0.9:8089"
  <PREFIX>_ACCESS_KEY, …    the secrets that ROCKETSHIFT_SECRETS and plans name by their prefix:
                            _ACCESS_KEY, _SECRET_KEY, _SECURITY_TOKEN of clusters; _TOKEN, _CA, _CERT, _KEY of gateways
  ROCKETSHIFT_GATEWAY_TOKEN the token of gateways on this machine, where a plan names no other
  ALIBABA_CLOUD_…           the cloud's keys, which provider aliyun needs besides ALIBABA_CLOUD=<host>
                            in ROCKETSHIFT_SECRETS
  ROCKETSHIFT_APSARA        where a simulator answers instead of the cloud, such as http://127.0.0.1:8098
`
