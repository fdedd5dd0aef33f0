#pragma once
// One run file (run.db, run.2.db …), opened for reading and found to be ours: application, version and every word of
// the schema. What it holds is read and checked by run_frames.h and run_tables.h. Private to this room.
// Threads: one owner.

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/record/read_only_db.h"

namespace moescope::record {

/// Sentences about what is damaged, each once, and not without end.
class Damages {
 public:
  void add(std::string sentence);
  const std::vector<std::string>& sentences() const { return sentences_; }

 private:
  std::vector<std::string> sentences_;
};

/// A recorder holds the folder at this moment.
bool is_being_written(const std::string& folder);

struct RunFile {
  std::string name;                        ///< "run.2.db"
  DbAccess wanted = DbAccess::kUntouched;  ///< as access_of() said
  DbAccess access = DbAccess::kUntouched;  ///< as it went
  std::unique_ptr<ReadOnlyDb> db;
  bool index_doubtful = false;  ///< rows are to be looked for one by one
};

/// How the file would have to be opened now. Error: it, or what stands beside it, is no plain file.
Result<DbAccess> access_of(const std::string& folder, const std::string& name, bool being_written);

/// Opens and checks. Errors are half sentences about the file ("is empty"), with a hint. `thorough`: SQLite looks over
/// all pages too. What is wrong but leaves the rest readable goes to `damages`.
Result<RunFile> open_run_file(const std::string& folder, const std::string& name, DbAccess access, bool thorough,
                              Damages& damages);

}  // namespace moescope::record
