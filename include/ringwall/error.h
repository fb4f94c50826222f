// error.h: how a failure is handed to the caller.
//
// An Error carries one sentence for the operator: the place, what was found and what would be right. Codecs have their
// own small enums instead, since their caller must answer the peer, not the operator.
#pragma once

#include <cerrno>
#include <cstring>
#include <expected>
#include <string>
#include <utility>

namespace ringwall {

struct Error {
  std::string message;
};

template <typename T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(std::string message) {
  return std::unexpected(Error{std::move(message)});
}

// `number` is a positive errno value. With a remedy where there is one for every place.
[[nodiscard]] inline std::string errno_text(int number) {
  const bool is_descriptors = number == EMFILE || number == ENFILE;
  return std::strerror(number) +
         std::string(is_descriptors ? ": raise the open-file limit (systemd: LimitNOFILE, else ulimit -n)" : "");
}

[[nodiscard]] inline std::unexpected<Error> fail_errno(std::string what, int number) {
  return std::unexpected(Error{std::move(what) + ": " + errno_text(number)});
}

[[nodiscard]] inline std::unexpected<Error> fail_no_thread(int number) {
  return std::unexpected(
      Error{"no thread can be made (" + std::string(std::strerror(number)) +
            "): raise the limit of tasks (systemd: TasksMax, containers: the pids limit, else ulimit -u)"});
}

}  // namespace ringwall
