#include "devnode/reply.h"

#include <ringwall/connection/owned_slice.h>

#include <memory>

#include "unit/catch.h"

using namespace ringwall;
using namespace ringwall::devnode;

namespace {

ring::Slice slice_of(std::string text) {
  auto memory = std::make_unique<std::string>(std::move(text));
  const auto bytes = std::as_writable_bytes(std::span(*memory));
  return connection::make_owned_slice(std::move(memory), bytes);
}

std::string joined(const std::vector<ring::Slice>& slices) {
  std::string text;
  for (const ring::Slice& slice : slices) {
    text += std::string_view(reinterpret_cast<const char*>(slice.bytes().data()), slice.size());
  }
  return text;
}

}  // namespace

TEST_CASE("a reply is what was appended, in order, shared or not") {
  const ring::Slice shared = slice_of("SHARED");
  Reply reply;
  reply.append_shared(shared.share(shared.bytes())).append("a").append_shared(shared.share(shared.bytes().first(2)));
  reply.append(17).append_quoted("q\"\\\n");
  const std::string whole = R"(SHAREDaSH17"q\"\\\u000a")";
  CHECK(reply.text() == whole);
  CHECK(reply.bytes() == whole.size());
  CHECK(!reply.is_plain());
  CHECK(shared.block()->holders() == 3);
  {
    const auto slices = reply.take();
    CHECK(joined(slices) == whole);
    CHECK(reply.empty());
  }
  CHECK(shared.block()->holders() == 1);
}

TEST_CASE("rewinding takes back text and shares alike") {
  const ring::Slice shared = slice_of("S");
  Reply reply;
  reply.append("ab").append_shared(shared.share(shared.bytes()));
  const Reply::Mark mark = reply.mark();
  reply.append("cd").append_shared(shared.share(shared.bytes())).append("e");
  CHECK(reply.bytes_since(mark) == 4);
  reply.rewind(mark);
  CHECK(reply.text() == "abS");
  CHECK(shared.block()->holders() == 2);
  reply.rewind({});
  CHECK(reply.empty());
  CHECK(reply.is_plain());
  CHECK(reply.take().empty());
}
