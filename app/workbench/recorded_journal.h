#pragma once
// The journal of a recorded run as the window shows it, and what of it a run keeps that goes on from there.
// Threads: pure functions.

#include <map>
#include <string>
#include <vector>

#include "app/workbench/journal_book.h"
#include "app/workbench/run_loader.h"
#include "core/train/trainer_thread.h"

namespace moescope::app {

/// Commands and what happened by itself, in the order of their steps, with effects on the loss where they are known.
std::vector<JournalEntry> journal_of(const LoadedRun& run);

/// Takes away the entries that `origin` does not take over: commands beyond its count, whatever came after its step.
void cut_journal(std::vector<JournalEntry>& journal, const train::Origin& origin);

/// Every value of a configuration by full key, changed as the journal's commands changed it.
std::map<std::string, config::Value> values_after(const config::RunConfig& config,
                                                  const std::vector<JournalEntry>& journal);

/// One value as the trainer confirmed it.
void confirm_value(std::map<std::string, config::Value>& values, const bus::Command& set);

/// A run as a ghost is called: "1a2b3c4d · two_stage_workshop" for runs/20261125T101502Z-two_stage_workshop-1a2b3c4d,
/// so that what tells forks apart stands first; other folders by their own name.
std::string short_run_name(const std::string& folder);

/// The same folder, however it is written.
bool same_folder(const std::string& a, const std::string& b);

}  // namespace moescope::app
