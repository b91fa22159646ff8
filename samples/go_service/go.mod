module nereid.example/go_service

go 1.19
