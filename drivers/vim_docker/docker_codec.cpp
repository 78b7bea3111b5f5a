#include "drivers/vim_docker/docker_codec.hpp"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cctype>

namespace qnfv::docker {

namespace {

constexpr const char* label = "qnfv.vnf";
/// Of what an engine says, for people.
constexpr size_t words_max = 200;

bool parse(rapidjson::Document& to, std::string_view text) {
  to.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  return !to.HasParseError() && to.IsObject();
}

std::string text_of(const rapidjson::Value& object, const char* key) {
  auto i = object.FindMember(key);
  return i != object.MemberEnd() && i->value.IsString()
           ? std::string{i->value.GetString(), i->value.GetStringLength()}
           : std::string{};
}

} // namespace

std::string container_name(const vnf_id& vnf) {
  return "qnfv-" + vnf.value;
}

std::string create_body(const vnf_id& vnf, const std::string& image, const container_settings& s) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> out{buffer};
  out.StartObject();
  out.Key("Image");
  out.String(image.c_str());
  out.Key("Labels");
  out.StartObject();
  out.Key(label);
  out.String(vnf.value.c_str());
  out.EndObject();
  out.Key("HostConfig");
  out.StartObject();
  out.Key("NetworkMode");
  out.String(s.network.c_str());
  out.Key("Memory");
  out.Uint64(s.memory_bytes);
  out.Key("RestartPolicy");
  out.StartObject();
  out.Key("Name");
  out.String("no");
  out.EndObject();
  out.EndObject();
  out.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::string error_text(unsigned status, std::string_view body) {
  rapidjson::Document doc;
  if (parse(doc, body)) {
    auto message = text_of(doc, "message");
    if (!message.empty())
      return message.substr(0, words_max);
  }
  return "HTTP " + std::to_string(status) + " " + std::string{body.substr(0, words_max)};
}

result<std::string> parse_load(unsigned status, std::string_view body) {
  if (status != 200)
    return {ec::vim_failed, "the engine refused the image: " + error_text(status, body)};
  std::string loaded;
  while (!body.empty()) {
    auto end = body.find('\n');
    auto line = body.substr(0, end);
    body = end == std::string_view::npos ? std::string_view{} : body.substr(end + 1);
    rapidjson::Document doc;
    if (!parse(doc, line))
      continue;
    auto error = text_of(doc, "error");
    if (!error.empty() || doc.HasMember("errorDetail"))
      return {ec::vim_failed, "the engine refused the image: " + error.substr(0, words_max)};
    auto stream = text_of(doc, "stream");
    for (std::string_view prefix : {"Loaded image ID: ", "Loaded image: "})
      if (stream.rfind(prefix, 0) == 0) {
        loaded = stream.substr(prefix.size());
        while (!loaded.empty() && std::isspace(static_cast<unsigned char>(loaded.back())))
          loaded.pop_back();
        break;
      }
  }
  if (loaded.empty())
    return {ec::vim_failed, "the engine loaded no image from the archive"};
  return loaded;
}

result<std::string> parse_image_id(unsigned status, std::string_view body) {
  rapidjson::Document doc;
  if (status != 200 || !parse(doc, body))
    return {ec::vim_failed, "the engine does not know the image it loaded: " + error_text(status, body)};
  auto id = text_of(doc, "Id");
  if (id.rfind("sha256:", 0) != 0 || id.size() != 71)
    return {ec::vim_failed, "the engine names the image \"" + id.substr(0, 100) + "\""};
  return id;
}

result<container_state> parse_container(std::string_view body, const vnf_id& vnf) {
  rapidjson::Document doc;
  if (!parse(doc, body) || !doc.HasMember("State") || !doc["State"].IsObject())
    return {ec::vim_failed, "the engine's answer about " + vnf.value + " makes no sense"};
  container_state out;
  auto& state = doc["State"];
  out.running = state.HasMember("Running") && state["Running"].IsBool() && state["Running"].GetBool();
  out.detail = text_of(state, "Status").substr(0, words_max) + ", container " + text_of(doc, "Id").substr(0, 12);
  if (!out.running && state.HasMember("ExitCode") && state["ExitCode"].IsInt())
    out.detail += ", exit code " + std::to_string(state["ExitCode"].GetInt()) + " "
                  + text_of(state, "Error").substr(0, words_max);
  if (doc.HasMember("Config") && doc["Config"].IsObject() && doc["Config"].HasMember("Labels")
      && doc["Config"]["Labels"].IsObject())
    out.ours = text_of(doc["Config"]["Labels"], label) == vnf.value;
  return out;
}

std::string path_segment(std::string_view x) {
  static const char digits[] = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : x)
    if (std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == ':' || c == '@' || c == '/') {
      out += static_cast<char>(c);
    } else {
      out += '%';
      out += digits[c >> 4];
      out += digits[c & 15];
    }
  return out;
}

} // namespace qnfv::docker
