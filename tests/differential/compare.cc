// Holds the inspector against what serde_json makes of the same messages.
//
//   compare ORACLE
//
// RINGWALL_DIFFERENTIAL_MESSAGES is how many (1,000,000), RINGWALL_DIFFERENTIAL_SEED where they start (1). For every
// message: what the node executes is a call that the inspector told, with the same method and params and at the same
// place, or the inspector let nothing pass in that place.
#include <fcntl.h>
#include <ringwall/check.h>
#include <ringwall/rpc/inspect.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "differential/messages.h"

namespace {

using ringwall::rpc::Call;
using ringwall::rpc::Inspector;

constexpr std::uint32_t messages_a_block = 1000;

// The program that answers what the node executes.
class Oracle {
 public:
  struct Executed {
    std::uint32_t place;
    std::string method;
    std::string params;  // empty: none, or null
  };

  explicit Oracle(const char* program) {
    int to[2], from[2];
    RINGWALL_CHECK(pipe2(to, O_CLOEXEC) == 0);
    RINGWALL_CHECK(pipe2(from, O_CLOEXEC) == 0);
    process_ = fork();
    RINGWALL_CHECK(process_ >= 0);
    if (process_ == 0) {
      if (dup2(to[0], STDIN_FILENO) >= 0 && dup2(from[1], STDOUT_FILENO) >= 0) execl(program, program, nullptr);
      _exit(127);
    }
    close(to[0]);
    close(from[1]);
    to_ = to[1];
    from_ = from[0];
  }

  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;

  ~Oracle() {
    close(to_);
    close(from_);
    waitpid(process_, nullptr, 0);
  }

  std::vector<std::vector<Executed>> ask(const std::vector<std::string>& messages) {
    std::string question;
    append_number(question, messages.size());
    for (const std::string& message : messages) {
      append_number(question, message.size());
      question += message;
    }
    for (std::string_view rest = question; !rest.empty();) {
      const ssize_t written = write(to_, rest.data(), rest.size());
      RINGWALL_CHECK(written > 0);
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    std::vector<std::vector<Executed>> answers(messages.size());
    for (auto& executed : answers) {
      executed.resize(read_number());
      for (Executed& each : executed) {
        each.place = read_number();
        each.method = read_text();
        each.params = read_text();
      }
    }
    return answers;
  }

 private:
  static void append_number(std::string& text, std::size_t number) {
    const auto word = static_cast<std::uint32_t>(number);
    text.append(reinterpret_cast<const char*>(&word), sizeof word);
  }

  std::uint32_t read_number() {
    std::uint32_t word = 0;
    read_bytes(reinterpret_cast<char*>(&word), sizeof word);
    return word;
  }

  std::string read_text() {
    std::string text(read_number(), '\0');
    read_bytes(text.data(), text.size());
    return text;
  }

  void read_bytes(char* to, std::size_t bytes) {
    while (bytes > 0) {
      if (taken_ == received_.size()) receive();
      const std::size_t part = std::min(bytes, received_.size() - taken_);
      received_.copy(to, part, taken_);
      taken_ += part;
      to += part;
      bytes -= part;
    }
  }

  void receive() {
    received_.resize(1 << 16);
    const ssize_t received = read(from_, received_.data(), received_.size());
    RINGWALL_CHECK(received > 0);
    received_.resize(static_cast<std::size_t>(received));
    taken_ = 0;
  }

  pid_t process_;
  int to_ = -1;
  int from_ = -1;
  std::string received_;
  std::size_t taken_ = 0;
};

struct Count {
  std::uint64_t messages = 0, executed = 0, told = 0, refused = 0, evaded = 0;
};

void print(std::string_view message) {
  for (const char byte : message) {
    if (byte >= ' ' && byte < 0x7F) {
      std::putchar(byte);
    } else {
      std::printf("\\x%02x", static_cast<unsigned char>(byte));
    }
  }
  std::putchar('\n');
}

bool tells(const Call& call, const std::string& method, const std::string& params) {
  const std::string_view told_params = call.params == "null" ? std::string_view() : call.params;
  return call.form == Call::Form::call && call.method == method && told_params == params;
}

void compare(Inspector& inspector, const std::string& message, const std::vector<Oracle::Executed>& executed,
             Count& count) {
  const auto read = inspector.inspect(message);
  const bool passes =
      read && std::ranges::none_of(read->calls, [](const Call& call) { return call.form == Call::Form::invalid; });
  ++count.messages;
  count.executed += executed.size();
  for (const auto& [place, method, params] : executed) {
    const bool is_told = read && place < read->calls.size() && tells(read->calls[place], method, params);
    if (is_told) {
      ++count.told;
    } else if (!passes) {
      ++count.refused;
    } else {
      ++count.evaded;
      std::printf("message %llu: the node executes %s, which is not told: ",
                  static_cast<unsigned long long>(count.messages), method.c_str());
      print(message);
    }
  }
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: compare ORACLE\n"), 2;
  const std::uint64_t messages_max = from_environment("RINGWALL_DIFFERENTIAL_MESSAGES", 1'000'000);
  const std::uint64_t seed = from_environment("RINGWALL_DIFFERENTIAL_SEED", 1);
  Oracle oracle(argv[1]);
  differential::Messages source(seed);
  Inspector inspector({});
  Count count;
  while (count.messages < messages_max && count.evaded == 0) {
    std::vector<std::string> block(messages_a_block);
    for (std::string& message : block) message = source.next();
    const auto answers = oracle.ask(block);
    for (std::size_t i = 0; i < block.size(); ++i) compare(inspector, block[i], answers[i], count);
  }
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf("seed %llu: %llu messages, %llu calls executed by serde_json: %llu told, %llu refused, %llu evaded\n",
              number(seed), number(count.messages), number(count.executed), number(count.told), number(count.refused),
              number(count.evaded));
  // A test in which nothing is executed would show nothing.
  return count.evaded == 0 && count.told * 10 > count.messages ? 0 : 1;
}
