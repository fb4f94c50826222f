#include "devnode/change_set.h"

#include "devnode/hex.h"

namespace ringwall::devnode {

bool append_change_set(Reply& reply, const Node& node, std::uint32_t number, std::span<const std::string> keys,
                       bool with_nulls) {
  const Reply::Mark start = reply.mark();
  reply.append(R"({"block":")").append(to_hex(node.chain.hash(number).value())).append(R"(","changes":[)");
  bool is_first = true;
  for (const std::string& key : keys) {
    const auto value = node.storage.value(key, number);
    if (!value && !with_nulls) continue;
    if (!is_first) reply.append(",");
    is_first = false;
    reply.append("[").append_quoted(key).append(",");
    value ? reply.append_quoted(*value) : reply.append("null");
    reply.append("]");
  }
  if (is_first && !with_nulls) {
    reply.rewind(start);
    return false;
  }
  reply.append("]}");
  return true;
}

}  // namespace ringwall::devnode
