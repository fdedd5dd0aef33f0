#include "core/corpus/debian_packages.h"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <utility>

#include "core/corpus/process.h"

namespace moescope::corpus {
namespace {

namespace fs = std::filesystem;

/// The lines apt and dpkg mark as errors ("E: ", "dpkg-deb: error: "), as one sentence; else the last line.
std::string complaint(const std::string& errors) {
  std::istringstream lines(errors);
  std::string found, last;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) last = line;
    if (line.rfind("E: ", 0) == 0 && found.empty()) found = line.substr(3);
    if (line.rfind("dpkg-deb: error: ", 0) == 0 && found.empty()) found = line.substr(17);
  }
  return found.empty() ? last : found;
}

std::string remedy_for(const std::string& reason, const PackageUse& use) {
  const std::string elsewhere = "; without them, use " + use.instead;
  if (reason.find("Unable to locate package") != std::string::npos || reason.find("Can't select") != std::string::npos)
    return "fetch Debian's package lists (as root: apt-get update), then try again" + elsewhere;
  if (reason.find("No space left") != std::string::npos)
    return "free about 200 MB, or name another cache folder with MOESCOPE_CACHE";
  return "check the network, then try again" + elsewhere;
}

Diagnostic missing_program(const std::string& program, const PackageUse& use) {
  return error(
      "the program '" + program + "', which fetches the texts of the corpus '" + use.corpus + "', is not installed",
      '\'' + use.corpus + "' needs Debian 12; use " + use.instead);
}

/// Of one package the newest file, should an older one lie there too.
std::vector<std::string> package_files(const std::vector<std::string>& packages, const std::string& folder) {
  std::vector<std::string> files;
  for (const std::string& package : packages) {
    fs::path newest;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (name.rfind(package + '_', 0) != 0 || entry.path().extension() != ".deb") continue;
      if (newest.empty() || entry.last_write_time() > fs::last_write_time(newest)) newest = entry.path();
    }
    if (!newest.empty()) files.push_back(newest.string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Result<std::vector<std::string>> download_packages(const std::vector<std::string>& packages, const std::string& folder,
                                                   const PackageUse& use, const Fraction& fraction,
                                                   const std::stop_token& stop) {
  for (const char* program : {"apt-get", "dpkg-deb"})
    if (!program_exists(program)) return missing_program(program, use);
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem)
    return error("the folder for Debian packages cannot be made: " + problem.message() + ": " + folder,
                 "name another cache folder with MOESCOPE_CACHE");
  ProcessRequest request;
  // As root, apt would warn that its own user cannot write here, and then do the same anyway.
  request.arguments = {"apt-get", "-q", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3", "download"};
  request.arguments.insert(request.arguments.end(), packages.begin(), packages.end());
  request.working_folder = folder;
  const auto wanted = static_cast<double>(packages.size());
  fraction(0);
  request.while_running = [&] { fraction(static_cast<double>(package_files(packages, folder).size()) / wanted); };
  const auto result = run_process(request, stop);
  if (!result) return result.error();
  std::vector<std::string> files = package_files(packages, folder);
  if (result->exit_code == 0 && files.size() == packages.size()) return files;
  const std::string reason = complaint(result->errors);
  return error(use.texts + " could not be fetched: " + (reason.empty() ? "apt-get gave no reason" : reason),
               remedy_for(reason, use));
}

Status unpack_packages(const std::vector<std::string>& files, const std::string& folder, const PackageUse& use,
                       const Fraction& fraction, const std::stop_token& stop) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    fraction(static_cast<double>(i) / static_cast<double>(files.size()));
    const auto result = run_process({{"dpkg-deb", "-x", files[i], folder}, {}, std::size_t{1} << 20, {}}, stop);
    if (!result) return result.error();
    if (result->exit_code == 0) continue;
    const std::string reason = complaint(result->errors);
    // A file that cannot be unpacked would fail the same way next time.
    std::error_code ignored;
    fs::remove(files[i], ignored);
    return error("a Debian package could not be unpacked: " + reason, remedy_for(reason, use));
  }
  return Done{};
}

}  // namespace moescope::corpus
