// Serve runs the simulated cloud in the foreground, with real servers for each instance: make
// apsara.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/apsara"
)

func main() {
	at := flag.String("at", "127.0.0.1:8098", "where to answer: a port of this machine")
	creating := flag.Duration("creating", 10*time.Second, "how long an instance is made, beside the start of its servers")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *at, *creating); err != nil {
		fmt.Fprintln(os.Stderr, "apsara:", err)
		os.Exit(1)
	}
}

// The keys are no secret: they open nothing but the simulator.
const keyID, keySecret = "LTAIlab", "lab-secret"

func run(ctx context.Context, at string, creating time.Duration) error {
	root, err := lab.Root()
	if err != nil {
		return err
	}
	files, err := lab.FindFiles(root)
	if err != nil {
		return err
	}
	dir := filepath.Join(root, ".run", "apsara")
	if err := os.RemoveAll(dir); err != nil { // instances end with the simulator
		return err
	}
	cloud := apsara.New(apsara.Options{
		Keys: map[string]string{keyID: keySecret}, Servers: &apsara.Lab{Files: files, Dir: dir}, Creating: creating,
		Prices: map[string]apsara.Price{"ons_rmqpost_public_cn": {Unit: "Hour", Amount: 1.75, Currency: "CNY"}},
	})
	server := &http.Server{Addr: at, Handler: cloud, ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	fmt.Printf(`A simulated ApsaraMQ answers at http://%[1]s. Where the worker runs, set
  export ROCKETSHIFT_APSARA=http://%[1]s ROCKETSHIFT_SECRETS=ALIBABA_CLOUD=%[1]s
  export ALIBABA_CLOUD_ACCESS_KEY_ID=%[2]s ALIBABA_CLOUD_ACCESS_KEY_SECRET=%[3]s
and in a plan
  target:
    provider: aliyun
    aliyun: {region: cn-hangzhou, specification: rmq.s2.2xlarge, vpc: vpc-lab, vSwitches: [vsw-lab-a]}
Instances end with it (Ctrl-C).
`, at, keyID, keySecret)
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = server.Close()
	}
	return errors.Join(err, cloud.Close())
}
