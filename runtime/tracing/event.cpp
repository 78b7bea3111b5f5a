#include "runtime/tracing/event.hpp"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <iterator>

namespace qnfv {

namespace {
constexpr const char* kinds[] = {"send", "receive", "reply", "note", "drop"};
} // namespace

std::string to_string(trace_kind x) {
  return kinds[static_cast<size_t>(x)];
}

std::string to_json(const trace_event& x) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> out{buffer};
  auto text = [&](const char* key, const std::string& value) {
    if (value.empty())
      return;
    out.Key(key);
    out.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  out.StartObject();
  out.Key("t");
  out.Int64(x.unix_ns);
  text("site", x.site);
  out.Key("seq");
  out.Uint64(x.sequence);
  text("kind", to_string(x.kind));
  text("trace", x.trace);
  text("cause", x.cause);
  text("from", x.from);
  text("to", x.to);
  text("msg", x.message);
  text("text", x.text);
  out.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::optional<trace_event> parse_trace_event(std::string_view json) {
  rapidjson::Document doc;
  doc.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (doc.HasParseError() || !doc.IsObject())
    return std::nullopt;
  trace_event x;
  auto text = [&](const char* key, std::string& to) {
    auto i = doc.FindMember(key);
    if (i == doc.MemberEnd())
      return true;
    if (!i->value.IsString())
      return false;
    to.assign(i->value.GetString(), i->value.GetStringLength());
    return true;
  };
  std::string kind;
  if (!doc.HasMember("t") || !doc["t"].IsInt64() || !doc.HasMember("seq") || !doc["seq"].IsUint64()
      || !text("site", x.site) || !text("kind", kind) || !text("trace", x.trace)
      || !text("cause", x.cause) || !text("from", x.from) || !text("to", x.to)
      || !text("msg", x.message) || !text("text", x.text))
    return std::nullopt;
  x.unix_ns = doc["t"].GetInt64();
  x.sequence = doc["seq"].GetUint64();
  for (size_t i = 0; i < std::size(kinds); ++i)
    if (kind == kinds[i]) {
      x.kind = static_cast<trace_kind>(i);
      return x;
    }
  return std::nullopt;
}

} // namespace qnfv
