#include <ringwall/http/forward.h>

#include <algorithm>
#include <array>

#include <ringwall/check.h>

#include "copied_fields.h"

namespace ringwall::http {
namespace {

// Content-Length is written anew, Expect is answered here (RFC 9110 section 10.1.1); the rest belongs to one hop.
constexpr std::string_view never_copied[] = {
    "connection", "keep-alive",     "te",     "trailer",       "transfer-encoding",
    "upgrade",    "content-length", "expect", "http2-settings"};

// What Connection names, collected once: looking it up for each field anew would be cubic.
class Nominated {
 public:
  explicit Nominated(const FieldList& fields) {
    for (const Header& field : fields.all()) {
      if (!equals_ignoring_case(field.name, "connection")) continue;
      std::string_view list = field.value;
      while (const auto option = take_list_member(list)) {
        RINGWALL_CHECK(count_ < options_.size());  // the parser refused a head that has more
        options_[count_++] = *option;
      }
    }
  }

  [[nodiscard]] bool has(std::string_view name) const {
    return std::any_of(options_.begin(), options_.begin() + static_cast<std::ptrdiff_t>(count_),
                       [name](std::string_view option) { return equals_ignoring_case(option, name); });
  }

 private:
  std::array<std::string_view, connection_options_max> options_;
  std::size_t count_ = 0;
};

bool is_never_copied(std::string_view name) {
  return starts_ignoring_case(name, "proxy-") || std::ranges::any_of(never_copied, [name](std::string_view field) {
           return equals_ignoring_case(field, name);
         });
}

bool none_is_ours(std::string_view) { return false; }

void write_body_plan(HeadWriter& writer, BodyPlan body) {
  if (body.framing == Framing::length) writer.field("Content-Length", body.content_length);
  if (body.framing == Framing::chunked) writer.field("Transfer-Encoding", "chunked");
}

// RFC 9110 section 8.6: an answer to HEAD and a 304 may say how long the body would be; 1xx and 204 may not.
void write_length_of_unsent_body(HeadWriter& writer, const ResponseHead& response) {
  if (response.framing != Framing::none) {
    writer.field("Content-Length", std::uint64_t{0});
  } else if (response.status >= 200 && response.status != 204 && response.find("content-length")) {
    writer.field("Content-Length", response.content_length);
  }
}

}  // namespace

void copy_fields(HeadWriter& writer, const FieldList& fields, bool (*is_ours)(std::string_view name)) {
  const Nominated nominated(fields);
  for (const Header& field : fields.all()) {
    if (is_never_copied(field.name) || is_ours(field.name) || nominated.has(field.name)) continue;
    writer.parsed_field(field);
  }
}

bool is_ours_in_request(std::string_view name) {
  return equals_ignoring_case(name, "host") || equals_ignoring_case(name, "forwarded") ||
         equals_ignoring_case(name, "x-real-ip") || starts_ignoring_case(name, "x-forwarded-");
}

void write_origin(HeadWriter& writer, const Origin& origin) {
  const bool is_ipv6 = origin.address.find(':') != std::string_view::npos;
  writer.begin_field("Forwarded").append(is_ipv6 ? "for=\"[" : "for=").append(origin.address);
  writer.append(is_ipv6 ? "]\";proto=" : ";proto=").append(origin.proto).end_field();
  writer.field("X-Forwarded-For", origin.address);
  writer.field("X-Forwarded-Proto", origin.proto);
  writer.field("X-Real-IP", origin.address);
  writer.field("Via", "1.1 ringwall");
}

std::expected<std::size_t, WriteFault> write_request_to_node(std::span<char> out, const RequestHead& request,
                                                             const Origin& origin, BodyPlan body) {
  HeadWriter writer(out);
  writer.request_line(request.method_text, request.path,
                      request.has_query ? std::optional(request.query) : std::nullopt);
  writer.field("Host", origin.host_for_node);
  copy_fields(writer, request.fields, is_ours_in_request);
  write_origin(writer, origin);
  write_body_plan(writer, body);
  writer.field("Connection", "keep-alive");
  return writer.end();
}

std::expected<std::size_t, WriteFault> write_response_to_client(std::span<char> out, const ResponseHead& response,
                                                                BodyPlan body, bool keep_alive, std::string_view date) {
  HeadWriter writer(out);
  writer.status_line(response.status, response.reason);
  copy_fields(writer, response.fields, none_is_ours);
  if (!date.empty() && !response.fields.find("date")) writer.field("Date", date);
  if (body.framing == Framing::none) {
    write_length_of_unsent_body(writer, response);
  } else {
    write_body_plan(writer, body);
  }
  writer.field("Connection", keep_alive && body.framing != Framing::until_close ? "keep-alive" : "close");
  return writer.end();
}

}  // namespace ringwall::http
