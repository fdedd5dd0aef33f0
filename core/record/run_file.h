#pragma once
// One run file (run.db, run.2.db …), opened for reading and found to be ours: application, version and every word of
// the schema. What it holds is read and checked by run_frames.h and run_tables.h. Private to this room.
// Threads: one owner.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/record/read_only_db.h"

namespace moescope::record {

/// Sentences about what is damaged, each once, and not without end.
class Damages {
 public:
  void add(std::string sentence);
  /// `before`, the steps, `behind`: "the file lacks ", "steps 5 to 7". All with the same `before` share one sentence:
  /// "the file lacks steps 5 to 7 and 3 more stretches". `last` below `first`: it is not known.
  void add_stretch(const std::string& before, std::int64_t first, std::int64_t last, const std::string& behind = {});
  const std::vector<std::string>& sentences() const { return sentences_; }

 private:
  struct Stretches {
    std::size_t sentence = 0;    ///< its place
    std::string first, behind;   ///< of the first stretch
    std::set<std::int64_t> met;  ///< where they begin
  };
  std::vector<std::string> sentences_;
  std::map<std::string, Stretches> stretches_;
};

/// A recorder holds the folder at this moment.
bool is_being_written(const std::string& folder);

struct RunFile {
  std::string name;                        ///< "run.2.db"
  DbAccess wanted = DbAccess::kUntouched;  ///< as access_of() said
  DbAccess access = DbAccess::kUntouched;  ///< as it went
  std::unique_ptr<ReadOnlyDb> db;
  bool index_doubtful = false;  ///< rows are to be looked for one by one
  std::string damage;           ///< "is cut off: …", "is damaged: …", as far as opening it showed; empty: none
};

/// Of a file in which SQLite does not find its way.
inline constexpr const char* kOutOfOrder = "is damaged: parts of it are not where they belong";

/// How the file would have to be opened now. Error: it, or what stands beside it, is no plain file.
Result<DbAccess> access_of(const std::string& folder, const std::string& name, bool being_written);

/// Opens and checks. Errors are half sentences about the file ("is empty"), with a hint. `thorough`: SQLite looks over
/// all pages too. What is wrong but leaves the rest readable goes to `damages`.
Result<RunFile> open_run_file(const std::string& folder, const std::string& name, DbAccess access, bool thorough,
                              Damages& damages);

}  // namespace moescope::record
