#include "app/workbench/journal_book.h"

#include <algorithm>

#include "app/workbench/undo.h"

namespace moescope::app {

void JournalBook::posted(const bus::Command& command, std::int64_t step, int stage, bool takes_back) {
  JournalEntry entry;
  entry.step = step;
  entry.who = command.who;
  entry.what = (takes_back ? "undo: " : "") + bus::describe(command);
  entry.pending = true;
  entry.seq = command.seq;
  entry.command = command;
  stage_at_post_[entry.seq] = stage;
  if (takes_back) undoing_.push_back(entry.seq);
  entries.push_back(std::move(entry));
}

void JournalBook::answered(const bus::Reply& reply, const std::string& folder) {
  const bus::Command& command = reply.command;
  JournalEntry* entry = command.seq == 0 ? nullptr : find(command.seq);
  if (entry == nullptr) return;
  entry->pending = false;
  entry->refused = !reply.done;
  entry->step = reply.step;
  entry->number = reply.number;
  entry->folder = folder;
  entry->effect = reply.text;
  const bool takes_back = std::erase(undoing_, command.seq) > 0;
  if (!takes_back) entry->undo = undo_of(reply, stage_at_post_[command.seq]);
  stage_at_post_.erase(command.seq);
  if (reply.done && bus::changes_training(command.kind)) awaiting_effect_.emplace_back(command.seq, reply.step);
}

void JournalBook::noted(const telemetry::Event& event, const std::string& folder) {
  if (event.who != "schedule" && event.who != "lab") return;
  JournalEntry entry;
  entry.step = event.step;
  entry.who = event.who;
  entry.what = event.text;
  entry.folder = folder;
  entries.push_back(std::move(entry));
}

void JournalBook::failed(const bus::Failure& failure) {
  JournalEntry entry;
  entry.step = failure.step;
  entry.who = "lab";
  entry.what = "failed in " + failure.phase;
  entry.effect = failure.message;
  entry.failure = true;
  entries.push_back(std::move(entry));
}

bool JournalBook::add_effects(const telemetry::History& history) {
  return std::erase_if(awaiting_effect_, [&](const std::pair<std::uint64_t, std::int64_t>& waiting) {
           const auto effect = effect_on_loss(history, waiting.second);
           if (!effect) return false;
           if (JournalEntry* entry = find(waiting.first))
             entry->effect += (entry->effect.empty() ? "" : "; ") + *effect;
           return true;
         }) > 0;
}

const JournalEntry* JournalBook::undoable() const {
  const auto found =
      std::find_if(entries.rbegin(), entries.rend(), [](const JournalEntry& entry) { return entry.undo.has_value(); });
  return found == entries.rend() ? nullptr : &*found;
}

void JournalBook::undone(std::uint64_t seq) {
  if (JournalEntry* entry = find(seq)) entry->undo.reset();
}

void JournalBook::ended() {
  for (JournalEntry& entry : entries) {
    if (entry.pending) entry.effect = "the run ended first";
    if (entry.pending) entry.refused = true;
    entry.pending = false;
    entry.undo.reset();
  }
}

std::uint64_t JournalBook::begin(std::uint64_t next_seq) {
  stage_at_post_.clear();
  undoing_.clear();
  awaiting_effect_.clear();
  for (JournalEntry& entry : entries) {
    if (entry.command) next_seq = std::max(next_seq, entry.command->seq + 1);
    entry.seq = 0;
  }
  return next_seq;
}

JournalEntry* JournalBook::find(std::uint64_t seq) {
  const auto found =
      std::find_if(entries.rbegin(), entries.rend(), [&](const JournalEntry& entry) { return entry.seq == seq; });
  return found == entries.rend() ? nullptr : &*found;
}

}  // namespace moescope::app
