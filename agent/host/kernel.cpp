// SPDX-License-Identifier: Apache-2.0
#include "agent/host/kernel.h"

#include "agent/host/text.h"

namespace connscope::host {

std::string_view Kernel::line(Root root, Path path) {
  const Content content = read(root, path);
  return content ? trimmed(content.text.substr(0, content.text.find('\n'))) : std::string_view();
}

std::optional<std::uint64_t> Kernel::number(Root root, Path path) { return to_number(line(root, path)); }

std::optional<std::int64_t> Kernel::integer(Root root, Path path) { return to_integer(line(root, path)); }

}  // namespace connscope::host
