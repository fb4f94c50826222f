// reply.h: a JSON text on its way out, of which the large parts are shared and not copied.
//
// Written front to back; rewind() takes back what was written since a mark. Shared parts are memory that outlives the
// turn (Lifetime::own), such as the metadata. Owner: whoever answers; thread: the server's.
#pragma once

#include <ringwall/ring/slice.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::devnode {

class Reply {
 public:
  struct Mark {
    std::size_t text_bytes;
    std::size_t shares;
    std::size_t shared_bytes;
  };

  Reply& append(std::string_view text);
  Reply& append(std::uint64_t number);
  Reply& append_quoted(std::string_view text);
  Reply& append_shared(ring::Slice bytes);

  [[nodiscard]] Mark mark() const { return {text_.size(), shares_.size(), shared_bytes_}; }
  void rewind(const Mark& mark);

  [[nodiscard]] std::size_t bytes() const { return text_.size() + shared_bytes_; }
  [[nodiscard]] std::size_t bytes_since(const Mark& mark) const {
    return bytes() - mark.text_bytes - mark.shared_bytes;
  }
  [[nodiscard]] bool empty() const { return bytes() == 0; }

  // Whether nothing of it is shared; plain_text() is then all of it.
  [[nodiscard]] bool is_plain() const { return shares_.empty(); }
  [[nodiscard]] std::string_view plain_text() const { return text_; }

  // All of it as slices, in order; the reply is empty afterwards.
  [[nodiscard]] std::vector<ring::Slice> take();

  // A copy of all of it.
  [[nodiscard]] std::string text() const;

 private:
  struct Share {
    std::size_t at;  // bytes of text_ before it
    ring::Slice bytes;
  };

  std::string text_;
  std::vector<Share> shares_;
  std::size_t shared_bytes_ = 0;
};

}  // namespace ringwall::devnode
