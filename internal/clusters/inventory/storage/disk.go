package storage

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
)

// Shares of a disk at which brokers act (DefaultMessageStore, 4.5 to 5.5): they delete messages
// before their time from diskMaxUsedSpaceRatio on, 75 % by default, and refuse sends from 90 % on.
const (
	usualDelete = 0.75
	refuses     = 0.90
	near        = 0.05 // how far below that is said
)

// disksOf judges how full the disks of one side are.
func disksOf(
	side api.Side,
	tables map[string]map[string]string,
	configured []brokerconfig.Broker,
	seen facts.Facts,
) (all []api.Finding) {
	for _, broker := range slices.Sorted(maps.Keys(tables)) {
		used, known := fullest(tables[broker])
		if !known {
			continue
		}
		deletes := deletesAt(configured, broker)
		object := fmt.Sprintf("%s broker %s", side, broker)
		switch {
		case used >= refuses && side == api.Target:
			all = append(all, findings.DiskFull.Refusal(object, "", "its disk is so full that it refuses sends").
				With(seen.At, "%s of the disk are used; sends are refused from %s on", percent(used), percent(refuses)))
		case used >= deletes-near:
			all = append(all, findings.DiskFull.Warning(object, "",
				"its disk is nearly full: it deletes messages before their time, read and copied or not").
				With(seen.At, "%s of the disk are used; diskMaxUsedSpaceRatio is %s", percent(used), percent(deletes)))
		}
	}
	return all
}

// fullest is the share of the fullest disk that a broker tells of: there is a ratio for the commit
// log, for each of its paths, and for consume queues.
func fullest(table map[string]string) (used float64, known bool) {
	for name, value := range table {
		if !strings.HasPrefix(name, "commitLogDiskRatio") && !strings.HasPrefix(name, "consumeQueueDiskRatio") {
			continue
		}
		if ratio, err := strconv.ParseFloat(value, 64); err == nil && ratio > 0 && ratio <= 1 {
			used, known = max(used, ratio), true
		}
	}
	return used, known
}

func deletesAt(configured []brokerconfig.Broker, broker string) float64 {
	for _, b := range configured {
		n, err := strconv.ParseFloat(b.Values["diskMaxUsedSpaceRatio"], 64)
		if b.Name == broker && err == nil && n > 0 && n <= 100 {
			return n / 100
		}
	}
	return usualDelete
}

func percent(share float64) string { return strconv.FormatFloat(share*100, 'f', 0, 64) + " %" }

// roomOf judges whether the target's disks have room for what the source holds.
func roomOf(source, target map[string]map[string]string, seen facts.Facts) []api.Finding {
	var held, free int64
	for _, table := range source {
		held += number(table["commitLogMaxOffset"]) - number(table["commitLogMinOffset"])
	}
	for _, table := range target {
		of, known := room(table)
		if !known {
			return nil
		}
		free += of
	}
	if len(target) == 0 || held <= free {
		return nil
	}
	return []api.Finding{findings.TargetDiskSmall.Warning("target disks", "",
		"the source holds more than the target's disks have room for").
		With(seen.At, "commit logs of the source: %s; room on the target until sends are refused (%s used): %s at most",
			gib(held), percent(refuses), gib(free))}
}

// room is how much a broker stores at most until its disk is so full that it refuses sends. What it
// calls free (File.getFreeSpace) has blocks that are kept for root or are over a quota. Its ratio of
// use hasn't: it is of what is used and usable, in whole percent, rounded up (UtilAll,
// getDiskPartitionSpaceUsedPercent). So the disk is as large as the ratio allows at most.
func room(table map[string]string) (n int64, known bool) {
	total, free, known := capacity(table["commitLogDirCapacity"])
	if !known {
		return 0, false
	}
	used, size := float64(total-free), float64(total)
	ratio, err := strconv.ParseFloat(table["commitLogDiskRatio"], 64)
	if exact := ratio - 0.01; err == nil && ratio <= 1 && exact > 0 {
		size = min(size, used/exact)
	}
	return int64(max(0, size*refuses-used)), true
}

func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

func gib(n int64) string { return strconv.FormatFloat(float64(n)/(1<<30), 'f', 1, 64) + " GiB" }

// capacity reads commitLogDirCapacity: "Total : 252.0 GiB, Free : 71.5 GiB." (AdminBrokerProcessor).
func capacity(text string) (total, free int64, known bool) {
	first, rest, found := strings.Cut(strings.TrimSuffix(text, "."), ", Free : ")
	if !found {
		return 0, 0, false
	}
	total, known = bytesOf(strings.TrimPrefix(first, "Total : "))
	free, also := bytesOf(rest)
	return total, free, known && also && free <= total
}

// bytesOf reads a size with its unit, as MixAll.humanReadableByteCount writes it.
func bytesOf(text string) (n int64, known bool) {
	var size float64
	var unit string
	if _, err := fmt.Sscanf(text, "%f %s", &size, &unit); err != nil || size < 0 {
		return 0, false
	}
	power := strings.Index("BKMGTPE", strings.ToUpper(unit[:1]))
	if power < 0 {
		return 0, false
	}
	return int64(size * float64(int64(1)<<(10*power))), true
}
