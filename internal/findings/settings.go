package findings

// Settings. Package brokerconfig has the rules for those of brokers.
const (
	SettingDiffers ID = "setting-differs"
	SettingUneven  ID = "setting-uneven"
	SettingUnknown ID = "setting-unknown"
	BatchesRefused ID = "batches-refused"
	// SettingsBetweenBrokers is of topics and groups; the others are of brokers.
	SettingsBetweenBrokers ID = "settings-differ-between-brokers"
)

func settingEntries() []Entry {
	return []Entry{
		{
			SettingDiffers, refusalOrWarning, "a setting of the target's brokers isn't as the source's",
			"applications depend on it: compare-settings.md says of each setting what they would see",
			"write the line that the finding names into the target's configuration, or keep it because it is meant",
		},
		{
			SettingUneven, warning, "brokers of one side differ in a setting",
			"what holds depends on where a queue lies", "give all brokers of that side one value",
		},
		{
			SettingUnknown, warning, "brokers don't tell their settings",
			"nothing is compared, and nothing is taken for equal",
			"let rocketshift read them, or compare them by hand with docs/reference/compare-settings.md",
		},
		{
			BatchesRefused, warning, "brokers of the source take no batches",
			"what applications write on the target comes back slower than it went",
			"let applications send no batches until the migration is over, or bring the source to 4.8.0 or later",
		},
		{
			SettingsBetweenBrokers, warning, "a topic or group has other settings on other brokers of the source",
			"all brokers of the target get those of one of them, the first by name: what held elsewhere doesn't any more",
			"give it the settings that are meant on all brokers of the source (mqadmin updateTopic, updateSubGroup) before " +
				"its metadata is imported",
		},
	}
}
