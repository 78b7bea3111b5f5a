#include "tools/traces/chain.hpp"
#include "tools/traces/exports.hpp"
#include "tools/traces/packets.hpp"
#include "tools/traces/page.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <unordered_map>

namespace qnfv {

namespace {

/// Names are written once; a large trace has few.
class word_list {
public:
  int number(const std::string& word) {
    auto [at, is_new] = numbers_.emplace(word, static_cast<int>(words_.size()));
    if (is_new)
      words_.push_back(word);
    return at->second;
  }
  const std::vector<std::string>& words() const { return words_; }

private:
  std::unordered_map<std::string, int> numbers_;
  std::vector<std::string> words_;
};

/// JSON inside a page: no `<` may end its element, no `&` begin an entity.
std::string escaped(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (char c : json) {
    if (c == '<')
      out += "\\u003c";
    else if (c == '>')
      out += "\\u003e";
    else if (c == '&')
      out += "\\u0026";
    else
      out += c;
  }
  return out;
}

std::string rows_of(const trace_log& log) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> out{buffer};
  word_list words;
  auto causes = log.causes();
  auto zero = log.events.empty() ? 0 : log.events.front().unix_ns;
  out.StartObject();
  out.Key("rows");
  out.StartArray();
  for (size_t i = 0; i < log.events.size(); ++i) {
    auto& x = log.events[i];
    out.StartArray();
    out.Int64(x.unix_ns - zero);
    out.Int(words.number(x.site));
    out.Uint(x.epoch);
    out.Uint64(x.sequence);
    out.Int(words.number(to_string(x.kind)));
    out.Int(words.number(x.trace));
    out.Int64(causes[i] == trace_log::nobody ? -1 : static_cast<int64_t>(causes[i]));
    out.Int(words.number(speaker_of(log, causes, i)));
    out.Int(words.number(x.to));
    out.Int(words.number(x.message));
    out.String(x.text.data(), static_cast<rapidjson::SizeType>(x.text.size()));
    out.EndArray();
  }
  out.EndArray();
  out.Key("words");
  out.StartArray();
  for (auto& x : words.words())
    out.String(x.data(), static_cast<rapidjson::SizeType>(x.size()));
  out.EndArray();
  out.Key("lost");
  out.StartObject();
  for (auto& [site, n] : log.lost) {
    out.Key(site.c_str());
    out.Uint64(n);
  }
  out.EndObject();
  out.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

} // namespace

std::string to_html(trace_log log) {
  let_go_of_pieces(log);
  log.sort();
  constexpr std::string_view place = "@TRACE@";
  std::string out{trace_page_html()};
  return out.replace(out.find(place), place.size(), escaped(rows_of(log)));
}

} // namespace qnfv
