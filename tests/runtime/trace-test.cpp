// NRD_LOG and NRD_TRACE, which are read once, so this program is theirs alone.

#include "TestPack.h"

#include <fstream>
#include <sstream>

using namespace runtimetest;

namespace {

std::string readAll(const std::string &path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(Trace, WritesATimelineAndALog) {
  std::string trace = testing::TempDir() + "nereid-trace.json";
  std::string log = testing::TempDir() + "nereid-log.txt";
  remove(log.c_str());
  setenv("NRD_TRACE", trace.c_str(), 1);
  setenv("NRD_LOG", (log + ":2").c_str(), 1);
  {
    Opened o("null", write({addKernel("add")}), "add");
    nereid::Call call =
        o.kernel.call(address(4), address(16), address(16), 5).value();
    call.launch().check();
    call.launch().check();
    (void)o.pack.find("a \"quoted\" name", o.device);
  }
  std::string text = readAll(trace);
  ASSERT_EQ(text.substr(0, 2), "[\n");
  auto count = [&](const std::string &what) {
    size_t found = 0;
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; ++at)
      ++found;
    return found;
  };
  EXPECT_EQ(count("\"launch add\""), 2u) << text;
  EXPECT_EQ(count("\"bind add\""), 1u);
  EXPECT_EQ(count("\"load add\""), 1u);
  EXPECT_EQ(count("\"open test\""), 1u);
  EXPECT_EQ(count("\"find a ?quoted? name\""), 1u) << text;
  EXPECT_EQ(count("\"ph\":\"X\""), count("\n") - 1) << "an event per line";
  std::string lines = readAll(log);
  EXPECT_NE(lines.find("nereid: opened null"), std::string::npos) << lines;
  EXPECT_NE(lines.find("nereid: NRD_NOT_FOUND: "), std::string::npos) << lines;
  remove(trace.c_str());
  remove(log.c_str());
}

} // namespace
