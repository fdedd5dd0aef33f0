#include "core/train/messages.h"

#include <c10/util/Exception.h>

#include <new>

namespace moescope::train {

std::string one_line(const Diagnostics& problems) {
  std::string text;
  for (const Diagnostic& problem : problems) {
    if (problem.severity != Severity::kError) continue;
    if (!text.empty()) text += "; ";
    if (!problem.place.file.empty()) text += problem.place.file + ": ";
    text += problem.message;
    if (!problem.hint.empty()) text += "; " + problem.hint;
  }
  return text;
}

std::string one_line(const Status& status) { return status ? std::string() : one_line(status.error()); }

std::string one_line(const std::exception_ptr& exception) {
  const std::string memory = "out of memory; a smaller train.batch_size, model.d_model or data.vocab_size needs less";
  try {
    std::rethrow_exception(exception);
  } catch (const c10::OutOfMemoryError&) {
    return memory;
  } catch (const std::bad_alloc&) {
    return memory;
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    return text.find("DefaultCPUAllocator") != std::string::npos ? memory : text;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

}  // namespace moescope::train
