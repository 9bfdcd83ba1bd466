// plan, rebalance: what would happen, asked on a copy of the cluster; rebalance also does it.
#include <fmt/format.h>

#include "cli/context.h"
#include "cli/launch.h"
#include "cli/print.h"
#include "cli/units.h"
#include "cli/wait.h"
#include "cli/yaml.h"

namespace blixard::cli {
namespace {

constexpr Millis kPlanTimeout = seconds(120);
constexpr Millis kRebalanceTimeout = seconds(3600);

std::string upper(std::string text) {
    for (char& c : text)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return text;
}

constexpr std::size_t kNamedMost = 3;  // of VMs with all else in common; -o wide names each

// What the plan says of VMs, a line each; neighbours that differ in nothing but their names share
// one.
std::string vms_table(const Value::Array& vms, const std::vector<std::string>& members, bool wide,
                      const Colours& colours) {
    const auto texts_of = [&](const Value& vm) {
        std::vector<std::string> texts;
        for (const std::string& member : members) texts.push_back(vm.text(member));
        return texts;
    };
    std::vector<Column> columns{{"VM"}};
    for (const std::string& member : members) columns.push_back({upper(member)});
    Table table(std::move(columns));
    for (std::size_t i = 0, end = 0; i < vms.size(); i = end) {
        const std::vector<std::string> texts = texts_of(vms[i]);
        end = i + 1;
        while (!wide && end < vms.size() && texts_of(vms[end]) == texts) ++end;
        const auto row = [&](std::string name) {
            std::vector<Cell> cells{std::move(name)};
            cells.insert(cells.end(), texts.begin(), texts.end());
            table.row(std::move(cells));
        };
        if (end - i > kNamedMost)
            row(fmt::format("{} ... {} ({})", vms[i].text("vm"), vms[end - 1].text("vm"), end - i));
        else
            for (std::size_t one = i; one < end; ++one) row(vms[one].text("vm"));
    }
    return table.render(wide, colours);
}

std::string plan_text(const Value& plan, bool wide, const Colours& colours) {
    std::string text = printable(plan.text("summary")) + "\n";
    const Value::Array& moves = plan.items("moves");
    const Value::Array& stuck = plan.items("stuck");
    if (!moves.empty())
        text += fmt::format("\n{} ({}):\n{}", colours.bold("Placed"), moves.size(),
                            vms_table(moves, {"from", "to"}, wide, colours));
    if (!stuck.empty())
        text += fmt::format("\n{} ({}):\n{}", colours.bold("Does not fit"), stuck.size(),
                            vms_table(stuck, {"reason"}, wide, colours));
    const Value* found = plan.find("survives");
    if (const bool* survives = found ? found->as_bool() : nullptr;
        survives && plan.text("plan") != "survive")
        text += fmt::format("\nThe cluster would {}survive the loss of any one host.\n",
                            *survives ? "" : "NOT ");
    return text;
}

// With -o name: the VMs that it speaks of, a line each, those without a place last.
void print_plan(Context& context, const Value& plan) {
    if (context.format == Format::kName) {
        for (const char* list : {"moves", "stuck"})
            for (const Value& vm : plan.items(list)) context.out(printable(vm.text("vm")) + "\n");
    } else {
        print_one(context, plan, [&] {
            return plan_text(plan, context.format == Format::kWide, context.screen.out_colours);
        });
    }
    context.note("nothing has been changed\n");
}

Outcome ask(Context& context, const std::string& question, const Query& query, const Value& body) {
    ASSIGN_OR_RETURN(Value plan, context.remote().post("/v1/plan/" + question, query, body,
                                                       context.timeout.value_or(kPlanTimeout)));
    print_plan(context, plan);
    return {};
}

Outcome drain(Context& context, const Args& args) {
    return ask(context, "drain", {}, Value::object({{"node", args.get("node")}}));
}

Outcome lose(Context& context, const Args& args) {
    Value nodes;
    for (const std::string& node : args.all("node")) nodes.push(node);
    return ask(context, "lose", {}, Value::object({{"nodes", std::move(nodes)}}));
}

Outcome count_into(Value& body, const Args& args) {
    if (!args.has("count")) return {};
    auto count = parse_integer(args.get("count"), 1, 1'000'000);
    if (!count) return usage_of("--count", count.error());
    body.set("count", *count);
    return {};
}

Outcome add(Context& context, const Args& args) {
    if (!args.has("cpus") || !args.has("memory"))
        return usage("a host has CPUs and memory", "blixard plan add --cpus 32 --memory 128G");
    Value body = Value::object();
    if (args.has("name")) body.set("name", args.get("name"));
    auto cpus = parse_integer(args.get("cpus"), 1, 100'000);
    if (!cpus) return usage_of("--cpus", cpus.error());
    body.set("cpus", *cpus);
    auto memory = parse_size_mib(args.get("memory"));
    if (!memory) return usage_of("--memory", memory.error());
    body.set("memory_mib", *memory);
    if (args.has("disk")) {
        auto disk = parse_size_mib(args.get("disk"));
        if (!disk) return usage_of("--disk", disk.error());
        body.set("disk_mib", *disk);
    }
    if (args.has("zone")) body.set("zone", args.get("zone"));
    if (Outcome counted = count_into(body, args); !counted) return counted;
    return ask(context, "add", {}, body);
}

Outcome launch(Context& context, const Args& args) {
    auto spec = spec_from(args);
    if (!spec) return tl::unexpected(spec.error());
    Value body = Value::object({{"project", context.project}, {"spec", std::move(*spec)}});
    if (Outcome counted = count_into(body, args); !counted) return counted;
    return ask(context, "launch", {}, body);
}

Outcome survive(Context& context, const Args& args) {
    Value body = Value::object();
    if (args.has("hosts")) {
        auto hosts = parse_integer(args.get("hosts"), 1, 1'000);
        if (!hosts) return usage_of("--hosts", hosts.error());
        body.set("hosts", *hosts);
    }
    return ask(context, "survive", {}, body);
}

Outcome rebalance(Context& context, const Args& args) {
    const bool dry_run = args.has("dry-run");
    Query query;
    if (dry_run) query.emplace_back("dry_run", "true");
    Value body = Value::object();
    if (args.has("max-moves")) {
        auto moves = parse_integer(args.get("max-moves"), 1, 1'000);
        if (!moves) return usage_of("--max-moves", moves.error());
        body.set("max_moves", *moves);
    }
    if (args.has("restart-vms")) body.set("restart_vms", true);
    ASSIGN_OR_RETURN(Value answer,
                     context.remote().post("/v1/rebalance", query, body, kPlanTimeout));
    if (answer.text("kind") == "plan") {
        print_plan(context, answer);
        return {};
    }
    const std::string id = answer.text("id");
    if (!context.wait || id.empty()) {
        print_one(context, answer,
                  [&] { return fmt::format("rebalancing; see: blixard operation show {}\n", id); });
        return {};
    }
    auto done = wait_for_operation(context, id, context.timeout.value_or(kRebalanceTimeout));
    if (!done) return tl::unexpected(done.error());
    print_one(context, *done, [&] {
        return fmt::format(
            "{} of {} planned moves made{}\n", done->number("done"), done->number("total"),
            done->number("done") < done->number("total") ? "; no other would regain room now" : "");
    });
    return {};
}

std::vector<Option> vm_options() {
    return joined(spec_options(), {{"--count", "N", "so many of them (default 1)"}});
}

}  // namespace

std::vector<Command> plan_commands() {
    Positional node{"NODE", "the host", true, false, Offer::kNode};
    return {
        {"plan drain",
         "What would happen if a host were drained",
         "",
         {"blixard plan drain host-a"},
         {node},
         {},
         drain},
        {"plan lose",
         "What would happen if hosts were lost",
         "",
         {"blixard plan lose host-a host-b"},
         {{"NODE", "the host, or several", true, true, Offer::kNode}},
         {},
         lose},
        {"plan add",
         "What another host would make possible",
         "",
         {"blixard plan add --cpus 32 --memory 128G --count 2"},
         {{"NAME", "what to call it", false}},
         {{"--cpus", "N", "its CPUs"},
          {"--memory", "SIZE", "its memory"},
          {"--disk", "SIZE", "its disk"},
          {"--zone", "ZONE", "its zone"},
          {"--count", "N", "so many of them (default 1)"}},
         add},
        {"plan launch",
         "Whether VMs would fit, and where",
         "",
         {"blixard plan launch demo --cpus 4 --memory 8G --count 50"},
         {{"IMAGE", "an image of `blixard image list`", true, false, Offer::kImage}},
         joined(vm_options(), project_options()),
         launch},
        {"plan upgrade",
         "Whether the hosts can be upgraded one by one",
         "",
         {"blixard plan upgrade"},
         {},
         {},
         [](Context& context, const Args&) {
             return ask(context, "upgrade", {}, Value::object());
         }},
        {"plan survive",
         "Whether every VM would find a place after the loss of any host",
         "Or of any several: `--hosts 2` tries every pair, and says which one is worst.",
         {"blixard plan survive", "blixard plan survive --hosts 2"},
         {},
         {{"--hosts", "N", "so many hosts at once (default 1)"}},
         survive},
        {"rebalance",
         "Move VMs where that regains room",
         "There is no live migration: a VM that moves is stopped on one host and started on the "
         "other, one at a time, which has to be allowed with --restart-vms. Each move is decided "
         "anew when its turn comes, so that none breaks a rule. `blixard operation cancel` ends it "
         "after the present move.",
         {"blixard rebalance --dry-run", "blixard rebalance --restart-vms --max-moves 10"},
         {},
         joined({{"--dry-run", "", "show the moves, make none"},
                 {"--max-moves", "N", "at most so many"},
                 {"--restart-vms", "", "the VMs that move may be restarted"}},
                wait_options("1h")),
         rebalance},
    };
}

}  // namespace blixard::cli
