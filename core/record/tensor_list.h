#pragma once
// The tensors of one state hash as a blob: zstd of lines "<16 hex digits> <name>\n", sorted by name. Private to this
// room. Threads: pure functions.

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/record/run_rows.h"

namespace moescope::record {

std::string tensor_list_blob(const std::vector<TensorHash>& tensors);

/// Trusts nothing: sizes are limited before they are allocated.
Result<std::vector<TensorHash>> read_tensor_list(std::string_view blob);

}  // namespace moescope::record
