#pragma once
// Debian packages as a source of text: fetched with `apt-get download` and unpacked with `dpkg-deb -x`, both without
// root and without installing anything.
// Threads: one at a time per folder.

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace moescope::corpus {

using Fraction = std::function<void(double)>;

/// What the packages are for, as messages say it.
struct PackageUse {
  std::string corpus;   ///< "manuals"
  std::string texts;    ///< "the manual pages"
  std::string instead;  ///< what to use without them: "corpus = \"synthetic\" or a folder of your own text"
};

/// Fetches `packages` into `folder`; files left by an interrupted fetch are used or replaced. Returns the paths of the
/// package files ("…/manpages_6.03-2_all.deb"), in order of their names.
Result<std::vector<std::string>> download_packages(const std::vector<std::string>& packages, const std::string& folder,
                                                   const PackageUse& use, const Fraction& fraction,
                                                   const std::stop_token& stop);

Status unpack_packages(const std::vector<std::string>& files, const std::string& folder, const PackageUse& use,
                       const Fraction& fraction, const std::stop_token& stop);

}  // namespace moescope::corpus
