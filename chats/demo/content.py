"""What the demo is made of. Tables only."""

from typing import Any

ACCENTS = {"acme": "#1f7a5a", "globex": "#4b3fa7"}

CENTERS: dict[str, dict[str, Any]] = {
    "acme": {
        "name": "Acme Outdoor",
        "teams": [
            {
                "key": "support",
                "name": "Customer support",
                "is_default": True,
                "greeting": "Hi, and thanks for writing. Somebody from our team will be with you in a moment.",
            },
            {"key": "gear", "name": "Gear advice", "strategy": "longest_idle"},
            {"key": "orders", "name": "Orders and returns", "strategy": "round_robin"},
        ],
        "agents": [
            {
                "username": "maya",
                "name": "Maya Lindgren",
                "role": "admin",
                "capacity": 4,
            },
            {
                "username": "noah",
                "name": "Noah Okafor",
                "role": "supervisor",
                "capacity": 3,
            },
            {
                "username": "sofia",
                "name": "Sofía Reyes",
                "role": "agent",
                "capacity": 3,
            },
            {
                "username": "karim",
                "name": "Karim Haddad",
                "role": "agent",
                "capacity": 3,
            },
        ],
        "dispositions": ["Answered", "Order changed", "Return agreed", "Sent to a store", "Wrong address"],
        "canned": [
            ("hello", "Greeting", "Hi {name}, I am {agent}. How can I help?"),
            ("moment", "One moment", "One moment please, I am looking it up."),
            (
                "order",
                "Ask for the order number",
                "Could you tell me your order number? It begins with A and has six digits.",
            ),
            (
                "return",
                "How to return",
                "You can send it back within 60 days. The label is in your parcel, and on your orders page.",
            ),
            (
                "size",
                "Boot sizes",
                "Our boots run a little small: most people take half a size more than in street shoes.",
            ),
            ("bye", "Good-bye", "Thank you for writing, {name}. Have a good day outside."),
        ],
        "form": [
            {"key": "name", "label": "Your name", "kind": "text", "is_required": True},
            {"key": "email", "label": "Email (so that we can answer later)", "kind": "email"},
        ],
        "widget": {"title": "Acme Outdoor", "greeting": "Questions about gear or an order? We are here."},
    },
    "globex": {
        "name": "Globex Bank",
        "teams": [{"key": "accounts", "name": "Accounts", "is_default": True}, {"key": "cards", "name": "Cards"}],
        "agents": [
            {
                "username": "irene",
                "name": "Irene Vogt",
                "role": "admin",
                "capacity": 3,
            },
            {
                "username": "tomas",
                "name": "Tomás Silva",
                "role": "agent",
                "capacity": 2,
            },
        ],
        "dispositions": ["Answered", "Card blocked", "Call back"],
        "canned": [("hello", "Greeting", "Good day {name}, this is {agent} of Globex Bank.")],
        "form": [{"key": "name", "label": "Your name", "kind": "text", "is_required": True}],
        "widget": {"title": "Globex Bank"},
    },
}

Talk = dict[str, Any]

# Ended chats: who, when (minutes ago), team, agent, lines ("c" customer, "a" agent, "n" note), rating, disposition.
TALKS: dict[str, list[Talk]] = {
    "acme": [
        {
            "customer": ("Mia Keller", "mia.keller@example.com", "en"),
            "ago": 190,
            "team": "orders",
            "agent": "sofia",
            "rating": 5,
            "disposition": "Return agreed",
            "page": ("/demo/boots/", "Hiking boots"),
            "lines": [
                ("c", "Hello, the Ridge boots that I got yesterday are too small. Can I change them for a 43?"),
                ("a", "Hi Mia, of course. Could you tell me your order number?"),
                ("c", "A104772"),
                ("n", "43 is in stock, 12 pairs."),
                (
                    "a",
                    "Thank you. I have reserved a 43 for you. The label for the return is on your orders page, and the new pair leaves today.",
                ),
                ("c", "That was quick. Thank you!"),
                ("a", "Thank you for writing, Mia. Have a good day outside."),
            ],
        },
        {
            "customer": ("Jonas Weber", "jonas@example.com", "de"),
            "ago": 165,
            "team": "support",
            "agent": "maya",
            "rating": 4,
            "disposition": "Answered",
            "page": ("/demo/help/", "Help"),
            "lines": [
                ("c", "Guten Morgen, liefern Sie auch in die Schweiz?"),
                ("a", "Guten Morgen Jonas, ja. Das dauert drei bis vier Tage und kostet 9 Franken."),
                ("c", "Kommt noch Zoll dazu?"),
                ("a", "Nein, den haben wir schon bezahlt. Der Preis im Warenkorb ist der ganze Preis."),
                ("c", "Prima, danke."),
            ],
        },
        {
            "customer": ("ليلى حسن", "layla@example.com", "ar"),
            "ago": 140,
            "team": "gear",
            "agent": "karim",
            "rating": 5,
            "disposition": "Answered",
            "page": ("/demo/", "Acme Outdoor"),
            "lines": [
                ("c", "مرحبا، هل هذه الخيمة مقاومة للمطر؟"),
                ("a", "أهلا ليلى، نعم. عمود الماء 3000 مم، وهذا يكفي لعاصفة قوية."),
                ("c", "وكم وزنها؟"),
                ("a", "كيلوغرامان و100 غرام مع الأوتاد."),
                ("c", "شكرا جزيلا 🙏"),
            ],
        },
        {
            "customer": ("Ravi Menon", "ravi@example.com", "en"),
            "ago": 118,
            "team": "support",
            "agent": "noah",
            "rating": 2,
            "disposition": "Order changed",
            "page": ("/demo/help/", "Help"),
            "lines": [
                ("c", "My parcel says delivered but there is nothing here"),
                ("a", "I am sorry about that, Ravi. Which address does the message name?"),
                ("c", "Linden Street 4. I live at number 14"),
                ("n", "Carrier confirms number 4. Second time this month on this tour."),
                (
                    "a",
                    "The carrier left it ten houses away. I have sent a new parcel to number 14; it comes tomorrow before noon.",
                ),
                ("c", "ok. not great, but thanks for being fast"),
            ],
        },
        {
            "customer": ("Camille Roux", "camille@example.com", "fr"),
            "ago": 96,
            "team": "gear",
            "agent": "noah",
            "rating": 5,
            "disposition": "Answered",
            "page": ("/demo/boots/", "Hiking boots"),
            "lines": [
                ("c", "Bonjour ! Quelle semelle pour un sentier mouillé ?"),
                ("a", "Bonjour Camille, la Ridge : sa gomme accroche bien sur la pierre mouillée."),
                ("c", "Parfait, merci"),
            ],
        },
        {
            "customer": ("王小明", "", "zh"),
            "ago": 71,
            "team": "orders",
            "agent": "maya",
            "rating": None,
            "disposition": "Answered",
            "page": ("/demo/", "Acme Outdoor"),
            "lines": [
                ("c", "你好，我的订单 A104801 什么时候发货？"),
                ("a", "你好，今天下午三点发货，明天到。"),
                ("c", "谢谢"),
            ],
        },
        {
            "customer": ("Grace Lee", "grace@example.com", "en"),
            "ago": 52,
            "team": "support",
            "agent": "sofia",
            "rating": 5,
            "disposition": "Sent to a store",
            "page": ("/demo/", "Acme Outdoor"),
            "lines": [
                ("c", "Can I try the Fjord jacket somewhere before I buy it?"),
                ("a", "Yes, our shop in Harbour Road has it in all sizes. Shall I put one aside for you?"),
                ("c", "Size M please, I would come on Saturday"),
                ("a", "Done. It waits for you under your name until Sunday evening."),
                ("c", "You are wonderful 😊"),
            ],
        },
        {
            "customer": ("Ben", "", "en"),
            "ago": 33,
            "team": "support",
            "agent": "karim",
            "rating": None,
            "disposition": "Wrong address",
            "page": ("/demo/help/", "Help"),
            "lines": [
                ("c", "is this the pizza place"),
                ("a", "Not quite, we sell tents. But I hope you find a good one."),
            ],
        },
    ],
    "globex": [
        {
            "customer": ("Paula Brandt", "paula@example.com", "en"),
            "ago": 84,
            "team": "cards",
            "agent": "tomas",
            "rating": 5,
            "disposition": "Card blocked",
            "page": ("/cards", "Cards"),
            "lines": [
                ("c", "I lost my card on the train"),
                ("a", "It is blocked now, Paula. A new one is on its way."),
                ("c", "Thank you"),
            ],
        }
    ],
}
