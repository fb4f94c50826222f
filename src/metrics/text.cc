#include <ringwall/check.h>
#include <ringwall/metrics/text.h>
#include <ringwall/utf8.h>

#include <fmt/format.h>

#include <iterator>

namespace ringwall::metrics {

namespace {

std::string_view word(Type type) {
  switch (type) {
    case Type::counter:
      return "counter";
    case Type::gauge:
      return "gauge";
    case Type::histogram:
      break;
  }
  return "histogram";
}

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto [code, bytes] = utf8::first_character(text);
    if (text.front() == '\\' || text.front() == '"') {
      out += '\\';
      out += text.front();
    } else if (text.front() == '\n') {
      out += "\\n";
    } else if (!code) {
      out += '?';
    } else {
      out += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
}

double seconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }

}  // namespace

void TextWriter::family(Metric metric) {
  row_ = &row(metric);
  fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}.\n# TYPE {0} {2}\n", row_->name, row_->help,
                 word(row_->type));
}

void TextWriter::begin_sample(std::string_view suffix, std::initializer_list<std::string_view> labels,
                              std::string_view bound) {
  RINGWALL_CHECK(row_ != nullptr);
  RINGWALL_CHECK(labels.size() <= labels_max);
  RINGWALL_CHECK(labels.size() == labels_max || row_->labels[labels.size()].empty());
  text_.append(row_->name).append(suffix);
  char before = '{';
  std::size_t index = 0;
  for (const std::string_view value : labels) {
    RINGWALL_CHECK(!row_->labels[index].empty());
    text_.append(1, before).append(row_->labels[index++]).append("=\"");
    append_escaped(text_, value);
    text_ += '"';
    before = ',';
  }
  if (!bound.empty()) {
    text_.append(1, before).append("le=\"").append(bound).append("\"");
    before = ',';
  }
  text_ += before == '{' ? " " : "} ";
}

void TextWriter::sample(std::initializer_list<std::string_view> labels, std::uint64_t value) {
  begin_sample("", labels);
  fmt::format_to(std::back_inserter(text_), "{}\n", value);
}

void TextWriter::sample(std::initializer_list<std::string_view> labels, double value) {
  begin_sample("", labels);
  fmt::format_to(std::back_inserter(text_), "{}\n", value);
}

void TextWriter::sample(std::initializer_list<std::string_view> labels, const Histogram& histogram) {
  RINGWALL_CHECK(row_ != nullptr && row_->type == Type::histogram);
  std::uint64_t count = 0;
  for (std::size_t bucket = 0; bucket < histogram.counts.size(); ++bucket) {
    count += histogram.counts[bucket];
    begin_sample(
        "_bucket", labels,
        bucket < Histogram::bounds_ns.size() ? fmt::format("{}", seconds(Histogram::bounds_ns[bucket])) : "+Inf");
    fmt::format_to(std::back_inserter(text_), "{}\n", count);
  }
  begin_sample("_sum", labels);
  fmt::format_to(std::back_inserter(text_), "{}\n", seconds(histogram.sum_ns));
  begin_sample("_count", labels);
  fmt::format_to(std::back_inserter(text_), "{}\n", count);
}

}  // namespace ringwall::metrics
