#include "drivers/http/json.hpp"

#include "runtime/base/utf8.hpp"

#include <algorithm>
#include <vector>

namespace qnfv {

namespace {

constexpr size_t max_depth = 32;
// Iterative: the depth of what is sent must not be the depth of our stack.
constexpr unsigned parse_flags =
    rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;

/// Empty if all is well.
std::string problem_of(const rapidjson::Value& x, size_t depth) {
  if (x.IsString() && !is_utf8(text_of(x))) // RapidJSON takes the second half of a surrogate pair alone.
    return "the body has half a character";
  if (!x.IsObject() && !x.IsArray())
    return {};
  if (depth == max_depth)
    return "the body has more than " + std::to_string(max_depth) + " levels";
  if (x.IsArray()) {
    for (auto& element : x.GetArray())
      if (auto problem = problem_of(element, depth + 1); !problem.empty())
        return problem;
    return {};
  }
  std::vector<std::string_view> names;
  names.reserve(x.MemberCount());
  for (auto& member : x.GetObject()) {
    names.push_back(text_of(member.name));
    if (auto problem = problem_of(member.name, depth + 1); !problem.empty())
      return problem;
    if (auto problem = problem_of(member.value, depth + 1); !problem.empty())
      return problem;
  }
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) == names.end()
             ? std::string{}
             : "the body has a member twice";
}

result<rapidjson::Document> checked(rapidjson::Document x) {
  if (x.HasParseError())
    return {ec::invalid_argument, "the body is not JSON"};
  if (!x.IsObject())
    return {ec::invalid_argument, "the body is not a JSON object"};
  if (auto problem = problem_of(x, 0); !problem.empty())
    return {ec::invalid_argument, problem};
  return x;
}

} // namespace

result<rapidjson::Document> parse_object(std::string_view text) {
  rapidjson::Document out;
  out.Parse<parse_flags>(text.data(), text.size());
  return checked(std::move(out));
}

result<rapidjson::Document> parse_object_in_place(char* text) {
  // RapidJSON reads a character that is cut off to its end, behind the text.
  if (!is_utf8(text))
    return {ec::invalid_argument, "the body is not JSON"};
  rapidjson::Document out;
  out.ParseInsitu<parse_flags>(text);
  return checked(std::move(out));
}

} // namespace qnfv
