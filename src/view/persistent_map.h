// An ordered map whose copies are cheap and never change: a B+ tree with path copying. A change
// makes new nodes along one path, O(log n), and shares the rest with every older copy. Batches
// change nodes that they made themselves in place.
//
// Source: Driscoll, Sarnak, Sleator, Tarjan, "Making Data Structures Persistent" (1989); the owner
// mark of nodes that may be changed in place is Clojure's transients.
//
// Threads: a map value may be read by any number of threads; one thread changes its own value.
// Values are shared_ptr<const V> with a `std::string key` member.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/assert.h"

namespace blixard::view {

template <class V>
class PersistentMap {
 public:
    using Value = std::shared_ptr<const V>;

    PersistentMap() = default;
    PersistentMap(const PersistentMap& other) : root_(other.root_), size_(other.size_) {
        other.freeze();  // both share the nodes now: neither may change them in place
    }
    PersistentMap& operator=(const PersistentMap& other) {
        root_ = other.root_;
        size_ = other.size_;
        owner_ = 0;
        other.freeze();
        return *this;
    }
    PersistentMap(PersistentMap&&) noexcept = default;
    PersistentMap& operator=(PersistentMap&&) noexcept = default;

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

    // Null where there is none. The pointer lives as long as this map or any copy holds the value.
    const V* find(std::string_view key) const {
        const Node* node = root_.get();
        if (!node) return nullptr;
        while (!node->leaf) node = node->children[node->child_for(key)].get();
        const int at = node->lower_bound(key);
        if (at < node->count && node->values[at]->key == key) return node->values[at].get();
        return nullptr;
    }

    Value find_shared(std::string_view key) const {
        const Node* node = root_.get();
        if (!node) return nullptr;
        while (!node->leaf) node = node->children[node->child_for(key)].get();
        const int at = node->lower_bound(key);
        return at < node->count && node->values[at]->key == key ? node->values[at] : nullptr;
    }

    // Puts `value` under value->key, in the place of an older one.
    void put(Value value) {
        begin_change();
        if (!root_) root_ = make_node(true);
        root_ = editable(std::move(root_));
        NodePtr right = insert(*root_, std::move(value));
        if (!right) return;
        NodePtr top = make_node(false);
        top->count = 2;
        top->children[0] = std::move(root_);
        top->children[1] = std::move(right);
        root_ = std::move(top);
    }

    // False where there was none.
    bool erase(std::string_view key) {
        if (!find(key)) return false;
        begin_change();
        root_ = editable(std::move(root_));
        remove(*root_, key);
        --size_;
        while (root_ && !root_->leaf && root_->count == 1) root_ = NodePtr(root_->children[0]);
        if (root_ && root_->count == 0) root_ = nullptr;
        return true;
    }

    // Visits values with key >= `from`, ascending, while `visit(const Value&)` returns true.
    template <class Visit>
    void scan(std::string_view from, Visit&& visit) const {
        if (root_) scan_node(*root_, from, visit);
    }

    // Visits values whose key starts with `prefix`, ascending, while `visit(const Value&)` returns
    // true.
    template <class Visit>
    void scan_prefix(std::string_view prefix, Visit&& visit) const {
        scan(prefix, [&](const Value& value) {
            return std::string_view(value->key).substr(0, prefix.size()) == prefix && visit(value);
        });
    }

    template <class Visit>
    void for_each(Visit&& visit) const {
        scan("", [&](const Value& value) {
            visit(value);
            return true;
        });
    }

 private:
    static constexpr int kMax = 32;
    struct Node;
    using NodePtr = std::shared_ptr<Node>;
    using Owner = std::uint64_t;

    struct Node {
        explicit Node(bool is_leaf) : leaf(is_leaf) {}
        bool leaf;
        int count = 0;
        Owner owner = 0;
        std::array<Value, kMax> values;  // leaf
        std::array<NodePtr, kMax>
            children;  // inner; the smallest key below children[i] is first_key(i)

        int lower_bound(std::string_view key) const {
            int low = 0, high = count;
            while (low < high) {
                const int middle = (low + high) / 2;
                if (values[middle]->key < key)
                    low = middle + 1;
                else
                    high = middle;
            }
            return low;
        }
        const std::string& first_key() const {
            const Node* node = this;
            while (!node->leaf) node = node->children[0].get();
            return node->values[0]->key;
        }
        int child_for(std::string_view key) const {
            int low = 0, high = count - 1;
            while (low < high) {
                const int middle = (low + high + 1) / 2;
                if (children[middle]->first_key() <= key)
                    low = middle;
                else
                    high = middle - 1;
            }
            return low;
        }
    };

    // The nodes made so far are shared from now on. Writes only where there is something to write,
    // so that readers of a published map may copy it at the same time.
    void freeze() const {
        if (owner_ != 0) owner_ = 0;
    }
    void begin_change() {
        static std::atomic<Owner> last{0};
        if (owner_ == 0) owner_ = ++last;
    }
    NodePtr make_node(bool leaf) {
        auto node = std::make_shared<Node>(leaf);
        node->owner = owner_;
        return node;
    }
    // The node itself where this map made it since it was last shared, else a copy.
    NodePtr editable(NodePtr node) {
        if (node->owner == owner_) return node;
        auto copy = std::make_shared<Node>(*node);
        copy->owner = owner_;
        return copy;
    }

    // Inserts below `node`; a node that had to be split gives its right half.
    NodePtr insert(Node& node, Value value) {
        if (node.leaf) {
            const int at = node.lower_bound(value->key);
            if (at < node.count && node.values[at]->key == value->key) {
                node.values[at] = std::move(value);
                return nullptr;
            }
            ++size_;
            return insert_at(node, node.values, at, std::move(value));
        }
        const int at = node.child_for(value->key);
        node.children[at] = editable(std::move(node.children[at]));
        NodePtr right = insert(*node.children[at], std::move(value));
        if (!right) return nullptr;
        return insert_at(node, node.children, at + 1, std::move(right));
    }

    template <class Item>
    NodePtr insert_at(Node& node, std::array<Item, kMax>& items, int at, Item item) {
        NodePtr right;
        Node* target = &node;
        if (node.count == kMax) {
            right = make_node(node.leaf);
            // Ascending inserts (a bulk load) leave full nodes behind, others half full ones.
            const int keep = at == kMax ? kMax - 1 : kMax / 2;
            auto& moved = items_of<Item>(*right);
            for (int i = keep; i < kMax; ++i) moved[i - keep] = std::move(items[i]);
            right->count = kMax - keep;
            node.count = keep;
            if (at > keep) {
                target = right.get();
                at -= keep;
            }
        }
        auto& into = items_of<Item>(*target);
        for (int i = target->count; i > at; --i) into[i] = std::move(into[i - 1]);
        into[at] = std::move(item);
        ++target->count;
        return right;
    }
    template <class Item>
    static std::array<Item, kMax>& items_of(Node& node) {
        if constexpr (std::is_same_v<Item, Value>)
            return node.values;
        else
            return node.children;
    }

    void remove(Node& node, std::string_view key) {
        if (node.leaf) {
            remove_at(node.values, node.count, node.lower_bound(key));
            return;
        }
        const int at = node.child_for(key);
        node.children[at] = editable(std::move(node.children[at]));
        remove(*node.children[at], key);
        if (node.children[at]->count == 0) {
            remove_at(node.children, node.count, at);
        } else if (node.count > 1) {
            merge_small(node, at == 0 ? 0 : at - 1);
        }
    }
    template <class Item>
    static void remove_at(std::array<Item, kMax>& items, int& count, int at) {
        for (int i = at; i + 1 < count; ++i) items[i] = std::move(items[i + 1]);
        items[--count] = nullptr;
    }
    // Two neighbours that fit into one comfortably become one, so that deletions do not leave a
    // hollow tree.
    void merge_small(Node& node, int left_at) {
        if (node.children[left_at]->count + node.children[left_at + 1]->count > kMax / 2) return;
        node.children[left_at] = editable(std::move(node.children[left_at]));
        Node& left = *node.children[left_at];
        const Node& right = *node.children[left_at + 1];
        for (int i = 0; i < right.count; ++i) {
            if (left.leaf)
                left.values[left.count++] = right.values[i];
            else
                left.children[left.count++] = right.children[i];
        }
        remove_at(node.children, node.count, left_at + 1);
    }

    template <class Visit>
    static bool scan_node(const Node& node, std::string_view from, Visit& visit) {
        if (node.leaf) {
            for (int i = from.empty() ? 0 : node.lower_bound(from); i < node.count; ++i)
                if (!visit(node.values[i])) return false;
            return true;
        }
        const int first = from.empty() ? 0 : node.child_for(from);
        for (int i = first; i < node.count; ++i)
            if (!scan_node(*node.children[i], i == first ? from : std::string_view{}, visit))
                return false;
        return true;
    }

    NodePtr root_;
    std::size_t size_ = 0;
    mutable Owner owner_ = 0;  // nodes that carry this number are ours alone; 0: none is
};

}  // namespace blixard::view
