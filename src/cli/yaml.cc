#include "cli/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <set>

namespace blixard::cli {
namespace {

template <class Number>
bool read_number(std::string_view text, Number& number, int base) {
    auto [end, error] = [&] {
        if constexpr (std::is_integral_v<Number>)
            return std::from_chars(text.data(), text.data() + text.size(), number, base);
        else
            return std::from_chars(text.data(), text.data() + text.size(), number);
    }();
    return error == std::errc{} && end == text.data() + text.size();
}

bool looks_like_number(std::string_view text) {
    std::size_t first = text.find_first_not_of("+-");
    if (first == std::string_view::npos || first > 1) return false;
    return text.find_first_not_of("0123456789.eE+-", first) == std::string_view::npos &&
           text.find_first_of("0123456789", first) != std::string_view::npos;
}

class Reader {
 public:
    Result<Value> read(const YAML::Node& node, int depth) {
        if (++nodes_ > kYamlNodesMax || depth > kYamlDepthMax)
            return fail(ErrorCode::kTooLarge,
                        fmt::format("this YAML document has more than {} parts or {} levels",
                                    kYamlNodesMax, kYamlDepthMax));
        switch (node.Type()) {
            case YAML::NodeType::Undefined:
            case YAML::NodeType::Null: return Value{};
            case YAML::NodeType::Scalar: return scalar(node);
            case YAML::NodeType::Sequence: return sequence(node, depth);
            case YAML::NodeType::Map: return map(node, depth);
        }
        return Value{};
    }

 private:
    static Value scalar(const YAML::Node& node) {
        bool plain = node.Tag() == "?" || node.Tag().empty();
        return plain ? resolve_scalar(node.Scalar()) : Value(node.Scalar());
    }

    Result<Value> sequence(const YAML::Node& node, int depth) {
        Value::Array items;
        for (const auto& child : node) {
            ASSIGN_OR_RETURN(Value item, read(child, depth + 1));
            items.push_back(std::move(item));
        }
        return Value(std::move(items));
    }

    Result<Value> map(const YAML::Node& node, int depth) {
        Value::Object members;
        std::set<std::string> seen;
        for (const auto& entry : node) {
            YAML::Mark mark = entry.first.Mark();
            if (!entry.first.IsScalar())
                return fail(ErrorCode::kInvalid,
                            fmt::format("line {}: a key must be text", mark.line + 1));
            std::string name = entry.first.Scalar();
            if (!seen.insert(name).second)
                return fail(ErrorCode::kInvalid,
                            fmt::format("line {}, column {}: \"{}\" is there twice", mark.line + 1,
                                        mark.column + 1, name));
            ASSIGN_OR_RETURN(Value value, read(entry.second, depth + 1));
            members.push_back(Member{std::move(name), std::move(value)});
        }
        return Value(std::move(members));
    }

    int nodes_ = 0;
};

}  // namespace

Value resolve_scalar(std::string_view text) {
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
        return {};
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    std::int64_t number = 0;
    if (text.starts_with("0x") && read_number(text.substr(2), number, 16)) return number;
    if (text.starts_with("0o") && read_number(text.substr(2), number, 8)) return number;
    if (!looks_like_number(text)) return text;
    std::string_view unsigned_text = text.starts_with('+') ? text.substr(1) : text;
    if (unsigned_text.starts_with('+') || (text.starts_with('+') && unsigned_text.starts_with('-')))
        return text;
    if (read_number(unsigned_text, number, 10)) return number;
    double real = 0;
    if (read_number(unsigned_text, real, 10)) return real;
    return text;
}

Result<std::vector<Value>> parse_yaml(std::string_view text) {
    std::vector<Value> documents;
    try {
        for (const YAML::Node& node : YAML::LoadAll(std::string(text))) {
            ASSIGN_OR_RETURN(Value document, Reader().read(node, 0));
            if (!document.is_null()) documents.push_back(std::move(document));
        }
    } catch (const YAML::Exception& exception) {
        return fail(ErrorCode::kInvalid,
                    fmt::format("line {}, column {}: {}", exception.mark.line + 1,
                                exception.mark.column + 1, exception.msg));
    }
    return documents;
}

}  // namespace blixard::cli
