package lab

// Processes are the ids of the processes of the cluster in a folder that run now, name server
// first; none if the folder holds no cluster.
func Processes(dir string) ([]int, error) {
	s, err := loadState(dir)
	if err != nil {
		return nil, err
	}
	var running []int
	for _, r := range []role{roleNameServer, roleBroker, roleProxy} {
		for _, server := range s.Servers {
			if server.Role == r && server.Process.alive() {
				running = append(running, server.Process.PID)
			}
		}
	}
	return running, nil
}
