// sink.h: where messages go that nobody asked for just now.
#pragma once

#include "devnode/reply.h"

namespace ringwall::devnode {

class Sink {
 public:
  virtual void send(Reply message) = 0;

  // False: the reader is behind. Whoever waits is told of room as soon as there is some.
  [[nodiscard]] virtual bool has_room() = 0;

 protected:
  ~Sink() = default;
};

}  // namespace ringwall::devnode
