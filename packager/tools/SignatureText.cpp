//===- SignatureText.cpp - --signature and --const ------------------------===//

#include "packager/tools/SignatureText.h"

#include "packager/SignatureType.h"
#include "packager/Suggest.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <set>

namespace nereid::tool {

using pack::concat;
using pack::ManifestConstant;
using pack::ManifestParam;

std::string_view trim(std::string_view text) {
  while (!text.empty() &&
         (text.front() == ' ' || text.front() == '\t' || text.front() == '\n'))
    text.remove_prefix(1);
  while (!text.empty() &&
         (text.back() == ' ' || text.back() == '\t' || text.back() == '\n'))
    text.remove_suffix(1);
  return text;
}

std::vector<std::pair<size_t, std::string_view>>
splitOutside(std::string_view text, char separator) {
  std::vector<std::pair<size_t, std::string_view>> pieces;
  size_t begin = 0;
  int depth = 0;
  char quote = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    char c = i < text.size() ? text[i] : separator;
    if (i < text.size() && quote) {
      if (c == '\\')
        ++i;
      else if (c == quote)
        quote = 0;
      continue;
    }
    if (c == '\'' || c == '"')
      quote = c;
    else if (c == '[' || c == '(' || c == '<' || c == '{')
      ++depth;
    else if ((c == ']' || c == ')' || c == '>' || c == '}') && depth)
      --depth;
    if (i == text.size() || (c == separator && depth == 0)) {
      pieces.emplace_back(begin, text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  return pieces;
}

ManifestConstant pythonConstant(std::string name, std::string_view given) {
  using Kind = ManifestConstant::Kind;
  ManifestConstant constant;
  constant.name = std::move(name);
  constant.text = std::string(trim(given));
  const std::string &text = constant.text;
  if (text == "None") {
    constant.kind = Kind::None;
  } else if (text == "True" || text == "False") {
    constant.kind = Kind::Bool;
    constant.integer = text == "True";
  } else if (!text.empty() && (text[0] == '\'' || text[0] == '"')) {
    constant.kind = Kind::String;
  } else if (!text.empty() &&
             text.find_first_not_of("0123456789+-.eExXabcdefABCDEF_") ==
                 std::string::npos) {
    std::string digits = text;
    digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
    char *end = nullptr;
    errno = 0;
    bool hex = digits.find_first_of("xX") != std::string::npos;
    long long value = std::strtoll(digits.c_str(), &end, hex ? 16 : 10);
    if (*end == '\0' && errno == 0) {
      constant.kind = Kind::Integer;
      constant.integer = value;
    } else if (!hex) {
      (void)std::strtod(digits.c_str(), &end);
      if (*end == '\0')
        constant.kind = Kind::Float;
    }
  }
  return constant;
}

bool parseSignatureText(std::string_view text,
                        const std::vector<std::string> &parameters,
                        std::vector<ManifestParam> &out,
                        std::vector<pack::Diagnostic> &errors) {
  size_t before = errors.size();
  auto at = [](size_t offset) {
    return pack::Location{"--signature", 1, unsigned(offset) + 1};
  };
  std::set<std::string> given;
  bool named = false;
  size_t position = 0;
  auto pieces = splitOutside(text, ',');
  // A comma at the end is allowed, as in Python.
  if (pieces.size() > 1 && trim(pieces.back().second).empty())
    pieces.pop_back();
  for (auto [offset, piece] : pieces) {
    size_t blanks = piece.find_first_not_of(" \t\n");
    if (blanks == std::string_view::npos) {
      if (pieces.size() == 1)
        break; // a kernel without parameters
      errors.push_back({at(offset), "there is nothing between these commas"});
      continue;
    }
    offset += blanks;
    piece = trim(piece);
    ManifestParam param;
    auto halves = splitOutside(piece, '=');
    size_t valueOffset = offset;
    std::string_view value = piece;
    if (halves.size() > 1) {
      named = true;
      param.name = std::string(trim(halves[0].second));
      value = piece.substr(halves[1].first);
      valueOffset += halves[1].first + value.find_first_not_of(' ');
      value = trim(value);
      if (std::find(parameters.begin(), parameters.end(), param.name) ==
          parameters.end()) {
        errors.push_back(
            {at(offset),
             concat(
                 "the kernel has no parameter '", param.name, "'",
                 pack::suggestion(param.name, parameters, "its parameters"))});
        continue;
      }
    } else if (named) {
      errors.push_back({at(offset), "a parameter by position cannot follow "
                                    "one by name; write 'name=type'"});
      continue;
    } else if (position >= parameters.size()) {
      errors.push_back({at(offset), concat("the kernel has ", parameters.size(),
                                           " parameters; this is the ",
                                           position + 1, "th")});
      ++position;
      continue;
    } else {
      param.name = parameters[position++];
    }
    param.where = at(offset);
    param.valueWhere = at(valueOffset);
    if (!given.insert(param.name).second) {
      errors.push_back(
          {at(offset), concat("parameter '", param.name, "' is given twice")});
      continue;
    }
    ManifestConstant constant = pythonConstant(param.name, value);
    constant.where = at(offset);
    bool isWord = constant.kind == ManifestConstant::Kind::Other &&
                  value.find_first_of(".([{") == std::string_view::npos;
    if (pack::looksLikeType(value) || isWord) {
      pack::Result<pack::SignatureType> type = pack::parseSignatureType(value);
      if (!type) {
        errors.push_back(
            {at(valueOffset),
             type.message() + (isWord && !pack::looksLikeType(value)
                                   ? "; a string constant needs quotes"
                                   : "")});
        continue;
      }
      param.type = type->text;
      if (type->hint)
        param.type += concat(":", type->hint);
    } else {
      param.constant = constant;
    }
    out.push_back(std::move(param));
  }
  return errors.size() == before;
}

//===-- --like ------------------------------------------------------------===//

namespace {

// What the JIT makes of an integer argument.
ManifestParam fromInteger(const std::string &name, int64_t value) {
  ManifestParam param;
  param.name = name;
  if (value == 1) {
    param.constant = pythonConstant(name, "1");
    return param;
  }
  param.type = value >= INT32_MIN && value <= INT32_MAX ? "i32" : "i64";
  if (value % 16 == 0)
    param.type += ":16";
  return param;
}

// "a" of "a_ptr", "aPtr" is left alone.
std::string stemOf(const std::string &name) {
  for (std::string_view suffix : {"_ptr", "_desc"})
    if (name.size() > suffix.size() &&
        std::string_view(name).substr(name.size() - suffix.size()) == suffix)
      return name.substr(0, name.size() - suffix.size());
  return name;
}

bool startsWith(const std::string &text, const std::string &prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

// The parameters that hold the strides of the array `name`, in order.
std::vector<std::string> stridesOf(const std::string &name,
                                   const std::vector<std::string> &parameters) {
  std::string stem = stemOf(name);
  std::vector<std::string> found;
  for (const std::string &one : parameters)
    if (startsWith(one, "stride_" + stem) || startsWith(one, stem + "_stride"))
      found.push_back(one);
  return found;
}

} // namespace

bool parseLike(const std::vector<std::string> &samples,
               const std::vector<std::string> &parameters,
               std::vector<ManifestParam> &out,
               std::vector<pack::Diagnostic> &errors) {
  size_t before = errors.size();
  auto fail = [&](std::string text) {
    errors.push_back({{"--like", 0, 0}, std::move(text)});
  };
  std::map<std::string, ManifestParam> known;
  std::map<std::string, int64_t> strides;
  for (const std::string &sample : samples) {
    size_t equal = sample.find('=');
    if (equal == std::string::npos || equal == 0) {
      fail("--like takes NAME=SAMPLE, such as a=fp16[4096,4096] or n=4096; "
           "found '" +
           sample + "'");
      continue;
    }
    std::string name(trim(std::string_view(sample).substr(0, equal)));
    std::string value(trim(std::string_view(sample).substr(equal + 1)));
    if (std::find(parameters.begin(), parameters.end(), name) ==
        parameters.end()) {
      fail(concat("the kernel has no parameter '", name, "'",
                  pack::suggestion(name, parameters, "its parameters")));
      continue;
    }
    size_t open = value.find('[');
    if (open != std::string::npos && open > 0 && value.back() == ']') {
      const pack::ScalarType *type = pack::findScalar(value.substr(0, open));
      if (!type) {
        fail(concat("unknown scalar type '", value.substr(0, open), "'",
                    pack::suggestion(value.substr(0, open), pack::scalarNames(),
                                     "allowed")));
        continue;
      }
      std::vector<int64_t> shape;
      std::string sizes = value.substr(open + 1, value.size() - open - 2);
      for (const auto &piece : splitOutside(sizes, ',')) {
        ManifestConstant size = pythonConstant(name, piece.second);
        if (size.kind != ManifestConstant::Kind::Integer || size.integer < 0)
          fail(concat("'", trim(piece.second), "' in '", sample,
                      "' is no size"));
        shape.push_back(size.integer);
      }
      ManifestParam param;
      param.name = name;
      param.type = concat("*", type->name, ":16");
      known[name] = param;
      std::vector<std::string> names = stridesOf(name, parameters);
      // Fewer than dimensions: those of the leading ones.
      int64_t stride = 1;
      for (size_t d = shape.size(); d-- > 0; stride *= shape[d])
        if (d < names.size())
          strides[names[d]] = stride;
      continue;
    }
    ManifestConstant constant = pythonConstant(name, value);
    using Kind = ManifestConstant::Kind;
    ManifestParam param;
    param.name = name;
    switch (constant.kind) {
    case Kind::Integer:
      param = fromInteger(name, constant.integer);
      break;
    case Kind::Float:
      param.type = "fp32";
      break;
    case Kind::Bool:
      param.type = "i1";
      break;
    case Kind::None:
    case Kind::String:
      param.constant = constant;
      break;
    case Kind::Other:
      fail(concat("'", value,
                  "' is no sample; give an array as "
                  "fp16[4096,4096], or a number, True, False or None"));
      continue;
    }
    known[name] = param;
  }
  for (const auto &[name, stride] : strides)
    if (!known.count(name))
      known[name] = fromInteger(name, stride);
  for (const std::string &name : parameters) {
    auto it = known.find(name);
    if (it == known.end())
      continue;
    it->second.where = it->second.valueWhere = {"--like", 0, 0};
    out.push_back(it->second);
  }
  return errors.size() == before;
}

std::string signatureText(const std::vector<ManifestParam> &signature) {
  std::string text;
  for (const ManifestParam &param : signature)
    text += (text.empty() ? "" : ", ") + param.name + "=" +
            (param.type.empty() ? param.constant.text : param.type);
  return text;
}

} // namespace nereid::tool
