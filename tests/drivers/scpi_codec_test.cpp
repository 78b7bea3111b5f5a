#include "drivers/scpi/codec.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace qnfv;

namespace {

const scpi_command* command(const std::variant<scpi_command, scpi_error>& x) {
  return std::get_if<scpi_command>(&x);
}

scpi_command the_command(const std::string& line) {
  auto steps = parse_scpi_line(line);
  INFO(line);
  REQUIRE(steps.size() == 1);
  REQUIRE(command(steps[0]));
  return *command(steps[0]);
}

int the_error(const std::string& line) {
  auto steps = parse_scpi_line(line);
  INFO(line);
  REQUIRE(steps.size() == 1);
  auto* error = std::get_if<scpi_error>(&steps[0]);
  return error ? error->code : 0;
}

/// Every command and answer of the tables, to be damaged.
const std::vector<std::string> texts{
  "*idn?",
  "*cls",
  "*rst",
  "*opc?",
  ":oxc:swit:size?",
  ":oxc:swit:conn:add (@1,2,3),(@17,18,19)",
  ":oxc:swit:conn:only (@1,2),(@17,18)",
  ":oxc:swit:conn:sub (@1),(@17)",
  ":oxc:swit:disc:all",
  ":oxc:swit:conn:stat?",
  ":oxc:swit:conn:port? 2",
  ":oxc:swit:port:dis (@2,4)",
  ":oxc:swit:port:enab (@2,4)",
  ":oxc:swit:port:stat? (@2,4,6)",
  ":syst:err:all?",
  ":syst:comm:netw:addr?",
};
const std::vector<std::string> answers{
  "Polatis,I-OST-24x24-LU1-DMHNS,002414,6.5.2.18",
  "16,16",
  "(@1,2,3),(@19,18,22)",
  "(@),(@)",
  "\"18\"",
  "\"\"",
  "(D,E,F)",
  "-113,\"Undefined header\",-221,\"Settings conflict;17 is \"\"taken\"\"\"",
};

} // namespace

TEST_CASE("every SCPI command prints as it is written") {
  for (auto& text : texts)
    CHECK(print_scpi(the_command(text)) == text);
  scpi_command add{scpi_word::connect_add, {1}, {25}};
  CHECK(print_scpi_confirmed(add) == "*cls;:oxc:swit:conn:add (@1),(@25);*opc?");
}

TEST_CASE("SCPI keywords have long forms, in any case, and lines end with CRLF or blanks") {
  for (auto* text : {":OXC:SWITch:CONNect:PORT? 2", ":oxc:switch:conn:port? 2\r\n",
                     "oxc:SWIT:connect:PORT?  2 ", "\t:Oxc:Swit:Conn:Port?2"}) {
    auto x = the_command(text);
    CHECK(x.word == scpi_word::connection_of);
    CHECK(x.first == scpi_ports{2});
  }
  CHECK(the_command("*Idn?").word == scpi_word::identify);
  CHECK(the_command("SYSTem:ERRor:ALL?").word == scpi_word::errors);
  CHECK(the_command(":OXC:SWIT:DISConnect:ALL").word == scpi_word::disconnect_all);
  // Neither the short nor the long form.
  CHECK(the_error(":oxc:switc:conn:stat?") == -113);
}

TEST_CASE("SCPI lists hold the ports in their order") {
  auto x = the_command(":oxc:swit:conn:add ( @ 3 , 1 ) , (@17,18)");
  CHECK(x.first == scpi_ports{3, 1});
  CHECK(x.second == scpi_ports{17, 18});
  CHECK(the_command(":oxc:swit:conn:sub (@1,2),(@)").second.empty());
  CHECK(the_command(":oxc:swit:conn:only (@),(@)").first.empty());
}

TEST_CASE(
  "SCPI commands of one line are separated by semicolons, and one wrong one is only itself") {
  auto steps = parse_scpi_line("*CLS;:oxc:swit:conn:add (@1),(@25);nonsense;;*OPC?");
  REQUIRE(steps.size() == 4);
  CHECK(command(steps[0])->word == scpi_word::clear);
  CHECK(command(steps[1])->word == scpi_word::connect_add);
  CHECK(std::get<scpi_error>(steps[2]).code == -113);
  CHECK(command(steps[3])->word == scpi_word::complete);
  CHECK(parse_scpi_line("").empty());
  CHECK(parse_scpi_line(" ; ;\r\n").empty());
}

TEST_CASE("an SCPI command without a colon goes on where the one before it stood") {
  auto steps = parse_scpi_line(":oxc:swit:conn:add (@1),(@17);*opc?;sub (@2),(@18);stat?");
  REQUIRE(steps.size() == 4);
  REQUIRE(command(steps[2]));
  CHECK(command(steps[2])->word == scpi_word::connect_sub);
  REQUIRE(command(steps[3]));
  CHECK(command(steps[3])->word == scpi_word::connections);
}

TEST_CASE("what is wrong with an SCPI command has a number") {
  CHECK(the_error("conn:stat?") == -113);
  CHECK(the_error(":oxc:swit:conn:stat") == -113);
  CHECK(the_error(":oxc") == -113);
  CHECK(the_error(":") == -113);
  CHECK(the_error("?") == -102);
  CHECK(the_error("(@1)") == -102);
  CHECK(the_error("caf\xc3\xa9") == -101);
  CHECK(the_error(std::string{"*idn?\0", 6}) == -101);
  CHECK(the_error("*idn? 1") == -108);
  CHECK(the_error(":oxc:swit:conn:add (@1),(@17),(@18)") == -108);
  CHECK(the_error(":oxc:swit:conn:port? 2 3") == -108);
  CHECK(the_error(":oxc:swit:conn:add") == -109);
  CHECK(the_error(":oxc:swit:conn:add (@1)") == -109);
  CHECK(the_error(":oxc:swit:conn:add (@1),") == -109);
  CHECK(the_error(":oxc:swit:conn:port?") == -109);
  CHECK(the_error(":oxc:swit:port:dis 2") == -109);
  CHECK(the_error(":oxc:swit:conn:add (@1,2),(@17)") == -220);
  CHECK(the_error(":oxc:swit:conn:add (@),(@17)") == -220);
  CHECK(the_error(":oxc:swit:conn:sub (@1),(@17,18)") == -220);
  CHECK(the_error(":oxc:swit:conn:add (@0),(@17)") == -222);
  CHECK(the_error(":oxc:swit:conn:add (@1),(@65536)") == -222);
  CHECK(the_error(":oxc:swit:conn:add (@-1),(@17)") == -222);
  CHECK(the_error(":oxc:swit:conn:add (@1,),(@17)") == -222);
  CHECK(the_error(":oxc:swit:conn:port? 0") == -222);
}

TEST_CASE("an SCPI line has bounds") {
  CHECK(the_error(std::string(scpi_line_max + 1, ' ')) == -223);
  std::string many;
  for (size_t i = 0; i < scpi_steps_max + 10; ++i)
    many += "*cls;";
  auto steps = parse_scpi_line(many);
  CHECK(steps.size() == scpi_steps_max + 1);
  CHECK(std::get<scpi_error>(steps.back()).code == -223);
}

TEST_CASE("SCPI answers print as they are written") {
  CHECK(print_scpi(*parse_scpi_identity(answers[0])) == answers[0]);
  CHECK(parse_scpi_identity(answers[0] + "\r\n")->version == "6.5.2.18");
  CHECK(print_scpi(*parse_scpi_size(answers[1])) == answers[1]);
  CHECK(*parse_scpi_connections(answers[2]) == scpi_connections{{1, 19}, {2, 18}, {3, 22}});
  CHECK(print_scpi(*parse_scpi_connections(answers[2])) == answers[2]);
  CHECK(print_scpi(*parse_scpi_connections(answers[3])) == answers[3]);
  CHECK(*parse_scpi_port(answers[4]) == 18);
  CHECK(print_scpi_port(18) == answers[4]);
  CHECK(*parse_scpi_port(answers[5]) == 0);
  CHECK(print_scpi_port(0) == answers[5]);
  CHECK(print_scpi(*parse_scpi_states(answers[6])) == answers[6]);
  auto errors = parse_scpi_errors(answers[7]);
  REQUIRE(errors);
  CHECK(errors->size() == 2);
  CHECK((*errors)[1].text == "Settings conflict;17 is \"taken\"");
  CHECK(print_scpi(*errors) == answers[7]);
  CHECK(parse_scpi_errors("0,\"No error\"")->empty());
  CHECK(parse_scpi_errors("+0,\"No error\"")->empty());
  CHECK(print_scpi(std::vector<scpi_error>{}) == "0,\"No error\"");
}

TEST_CASE("what is no SCPI answer is nothing") {
  for (auto* x : {"", "Polatis", "a,b,c", "a,b,c,d,e", ",b,c,d", "a,b,c,\x01", "(@1),(@17)"})
    CHECK_FALSE(parse_scpi_identity(x));
  for (auto* x : {"", "16", "16,", "16,16,16", "0,16", "16,65536", "a,b", "-1,16", "16 16"})
    CHECK_FALSE(parse_scpi_size(x));
  for (auto* x : {"", "(@1)", "(@1),(@17", "(@1,2),(@17)", "(@1),(@0)", "(@1),(@17),", "1,17",
                  "(@1),(@99999)", "(1),(17)"})
    CHECK_FALSE(parse_scpi_connections(x));
  for (auto* x : {"", "18", "\"18", "\"18\"x", "\"0\"", "\"a\"", "\"1 2\"", "\"65536\""})
    CHECK_FALSE(parse_scpi_port(x));
  for (auto* x : {"", "D,E,F", "(D,E", "(D,,E)", "(G)", "(DE)", "(D)x", "(d)"})
    CHECK_FALSE(parse_scpi_states(x));
  for (auto* x : {"", "0", "0,", "0,No error", "-1,\"a\",", "-1,\"a", "-999999,\"a\"", "a,\"b\"",
                  "-1,\"a\"x"})
    CHECK_FALSE(parse_scpi_errors(x));
}

TEST_CASE("an SCPI error queue says that it is full") {
  std::vector<scpi_error> queue;
  for (int i = 1; i <= 20; ++i)
    push_scpi_error(queue, {-i, "x"});
  REQUIRE(queue.size() == scpi_errors_max);
  CHECK(queue.front().code == -1);
  CHECK(queue.back().code == -350);
  CHECK(parse_scpi_errors(print_scpi(queue))->size() == scpi_errors_max);
}

TEST_CASE("any bytes are SCPI or nothing, and what is understood prints and reads the same") {
  std::mt19937 random{7};
  auto all = texts;
  all.insert(all.end(), answers.begin(), answers.end());
  size_t understood = 0;
  for (int i = 0; i < 100000; ++i) {
    auto text = all[random() % all.size()];
    if (i % 10 == 0)
      text = all[random() % all.size()] + ";" + text;
    for (auto n = random() % 4; n > 0 && !text.empty(); --n) {
      auto at = random() % text.size();
      if (random() % 3 == 0)
        text.erase(at, 1);
      else if (random() % 2 == 0)
        text[at] = static_cast<char>(random());
      else
        text.insert(at, 1, "(@),:;?\"*0123456789 "[random() % 20]);
    }
    for (auto& x : parse_scpi_line(text))
      if (auto* y = command(x)) {
        ++understood;
        auto again = the_command(print_scpi(*y));
        REQUIRE(again.word == y->word);
        REQUIRE(again.first == y->first);
        REQUIRE(again.second == y->second);
      }
    if (auto x = parse_scpi_connections(text))
      REQUIRE(parse_scpi_connections(print_scpi(*x)) == x);
    if (auto x = parse_scpi_states(text))
      REQUIRE(parse_scpi_states(print_scpi(*x)) == x);
    if (auto x = parse_scpi_errors(text))
      REQUIRE(parse_scpi_errors(print_scpi(*x)));
    parse_scpi_identity(text);
    parse_scpi_size(text);
    if (auto x = parse_scpi_port(text))
      REQUIRE(parse_scpi_port(print_scpi_port(*x)) == x);
  }
  CHECK(understood > 10000);
}

TEST_CASE("of SCPI everybody may see what is made of its commands and answers") {
  auto shown = [](std::string_view line) {
    auto x = show_scpi(line).value;
    return std::string{x.begin(), x.end()};
  };
  for (auto* line : {"*idn?", ":oxc:swit:conn:add (@1),(@5);*opc?\r", "*cls;:oxc:swit:size?;*opc?", "1", "16,16",
                     "(@1,2),(@19,18);1", "0,\"No error\"", "-113,\"Undefined; header\"", "(D,E,F)"})
    CHECK(shown(line) == std::string{line} + "\n");
  for (auto* line : {"secret", ":oxc:swit:secret?", "*idn?;secret", "1;secret", "1;1;1;\"secret"})
    CHECK(shown(line) == std::string(std::string_view{line}.size(), 'x') + "\n");
}
