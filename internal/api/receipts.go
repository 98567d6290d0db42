package api

import (
	"context"
	"net/http"

	"xinshu/connectors"
	"xinshu/internal/auth"
	"xinshu/internal/desk"
)

// Receipt is what a platform says of a delivery.
type Receipt struct {
	Delivery string       `json:"delivery" minLength:"1" maxLength:"200" doc:"推送批次号。Id of the delivery, as it came" example:"city-share-4f8f1c0a6b7d4e2f01020304"`
	Target   string       `json:"target,omitempty" maxLength:"100" doc:"For whom it is answered; empty: the target that the client is named after"`
	Code     string       `json:"code,omitempty" maxLength:"64" doc:"Of the whole; empty or 0: taken" example:"0"`
	Message  string       `json:"message,omitempty" maxLength:"1000"`
	Accepted int64        `json:"accepted" minimum:"0" maximum:"1000000" doc:"Rows taken"`
	Rejected int64        `json:"rejected" minimum:"0" maximum:"1000000" doc:"Rows refused"`
	Pending  bool         `json:"pending,omitempty" doc:"Taken for handling; another receipt follows"`
	Rows     []RowReceipt `json:"rows,omitempty" maxItems:"2000" doc:"回执明细。Rows that have an answer of their own; of the others the counts decide, when they can mean only one thing"`
}

// RowReceipt is the answer about one row.
type RowReceipt struct {
	ID      string `json:"id" minLength:"1" maxLength:"200" doc:"Id of the row: policy/uscc/version" example:"henan-2020/91410000MA3X5ABC0X/3"`
	Code    string `json:"code,omitempty" maxLength:"64" doc:"Empty or 0: accepted" example:"E-106"`
	Message string `json:"message,omitempty" maxLength:"1000" example:"unknown region"`
}

type receiptInput struct{ Body Receipt }

func (a *API) receipts() {
	register(a, op{Method: http.MethodPost, Path: "/v1/receipts", ID: "postReceipt", Tag: "grades", Right: auth.ReceiptsPost,
		Words: "A receipt for a delivery", ZH: "下游平台送回回执。", Body: 1 << 20, Problems: []int{http.StatusNotFound},
		More: "The same receipt may come twice and receipts in any order: an acceptance stands, a rejection can still be overturned by one. A client answers for the target of its own name."},
		func(ctx context.Context, in *receiptInput) (*struct{}, error) {
			b := in.Body
			r := connectors.Receipt{Code: b.Code, Message: b.Message, Accepted: b.Accepted, Rejected: b.Rejected, Pending: b.Pending}
			for _, row := range b.Rows {
				r.Rows = append(r.Rows, connectors.RowReceipt(row))
			}
			return nil, a.Desk.Receipt(ctx, desk.ReceiptIn{Target: b.Target, Delivery: b.Delivery, Receipt: r})
		})
}
