#include "core/train/messages.h"

#include <c10/util/Exception.h>

#include <new>
#include <string>

namespace moescope::train {

std::string one_line(const Status& status) { return status ? std::string() : one_line(status.error()); }

bool is_out_of_memory(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const c10::OutOfMemoryError&) {
    return true;
  } catch (const std::bad_alloc&) {
    return true;
  } catch (const c10::Error& error) {  // what the CPU's own allocator throws has no type of its own
    return std::string(error.what_without_backtrace()).find("DefaultCPUAllocator") != std::string::npos;
  } catch (...) {
    return false;
  }
}

std::string one_line(const std::exception_ptr& exception) {
  if (is_out_of_memory(exception)) {
    return "out of memory; a smaller train.batch_size, model.d_model or data.vocab_size needs less";
  }
  try {
    std::rethrow_exception(exception);
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

}  // namespace moescope::train
